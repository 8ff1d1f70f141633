from . import allenzhu2019 as allenzhu2019
from . import descent as descent
from . import du2018 as du2018
from . import ergen2021 as ergen2021
from . import files as files
from . import images as images
from . import search as search
from . import shallow as shallow
from . import stats as stats
from . import together as together
from . import zhong2017 as zhong2017
from .together.examination import examine as examine

__version__: str
