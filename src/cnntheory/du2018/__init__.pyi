"""What `__init__.py` offers when it is asked for, for type checkers."""

from . import condition as condition
from . import laws as laws
from . import neuron as neuron
from . import rates as rates
from . import smoothness as smoothness
from . import starts as starts
from . import teachers as teachers
from .condition import Condition as Condition
from .condition import check_condition as check_condition
from .laws import cap as cap
from .laws import mixture as mixture
from .laws import patch_band as patch_band
from .laws import patch_mixture as patch_mixture
from .neuron import empirical_gradient as empirical_gradient
from .neuron import loss as loss
from .neuron import predict as predict
from .rates import guaranteed_drop as guaranteed_drop
from .rates import theorem_step as theorem_step
from .smoothness import angular_beta as angular_beta
from .smoothness import angular_constants as angular_constants
from .smoothness import gaussian_constants as gaussian_constants
from .smoothness import patch_constants as patch_constants
from .smoothness import patch_growth as patch_growth
from .starts import good_probability as good_probability
