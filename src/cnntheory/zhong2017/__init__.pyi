"""What `__init__.py` offers when it is asked for, for type checkers."""

from .activations import ACTIVATIONS as ACTIVATIONS
from .activations import Activation as Activation
from .activations import Analytic as Analytic
from .activations import Homogeneous as Homogeneous
from .activations import as_activation as as_activation
from .hermite import series_hessian as series_hessian
from .hessian import empirical_hessian as empirical_hessian
from .hessian import population_hessian as population_hessian
from .initialise import AssumptionWarning as AssumptionWarning
from .initialise import TensorStart as TensorStart
from .initialise import WeakSignalWarning as WeakSignalWarning
from .initialise import split_half_error as split_half_error
from .initialise import tensor_initialise as tensor_initialise
from .network import RecoveryError as RecoveryError
from .network import draw_teacher as draw_teacher
from .network import match_filters as match_filters
from .network import network_output as network_output
from .network import recovery_error as recovery_error
from .tensor_decomposition import Decomposition as Decomposition
from .tensor_decomposition import decompose as decompose
from .train import Solution as Solution
from .train import empirical_objective as empirical_objective
from .train import gradient_descent as gradient_descent
from .train import population_objective as population_objective
from .train import train_levenberg_marquardt as train_levenberg_marquardt
