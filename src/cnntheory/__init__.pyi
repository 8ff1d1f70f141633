from . import allenzhu2019 as allenzhu2019
from . import descent as descent
from . import du2018 as du2018
from . import ergen2021 as ergen2021
from . import files as files
from . import images as images
from . import search as search
from . import stats as stats
from . import zhong2017 as zhong2017

__version__: str
