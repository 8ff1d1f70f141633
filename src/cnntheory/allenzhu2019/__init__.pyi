"""What `__init__.py` offers when it is asked for, for type checkers."""

from . import conditioned as conditioned
from . import curvature as curvature
from . import initialisation as initialisation
from . import inputs as inputs
from . import kernel as kernel
from . import landscapes as landscapes
from . import networks as networks
from . import perturb as perturb
from . import report as report
from . import training as training
from .kernel import FrozenKernel as FrozenKernel
from .kernel import TangentKernel as TangentKernel
from .landscapes import landscape as landscape
from .networks import Network as Network
from .networks import backward as backward
from .networks import convolutional as convolutional
from .networks import forward as forward
from .networks import fully_connected as fully_connected
from .networks import residual as residual
from .report import TangentReport as TangentReport
from .report import tangent_kernel as tangent_kernel
from .report import tangent_report as tangent_report
from .training import descent as descent
from .training import movement as movement
