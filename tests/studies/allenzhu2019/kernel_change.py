"""Made-up changes of gradient and kernel that are powers of the width."""

from tests.studies.allenzhu2019.movement import sweep

# Claim to what it speaks of, and to an exponent just inside and one just outside its band.
SLOPES = {
    "P13": ("usual", "gradient_change", -0.30, -0.32),
    "P13b": ("usual", "kernel_change", -1.08, -1.12),
    "P13c": ("usual", "kernel_change", -0.18, -0.15),
    "P13x": ("small", "kernel_change", -0.47, -0.43),
    "P14": ("usual", "linear_gap", -0.18, -0.15),
    "P14x": ("small", "linear_gap", -0.18, -0.15),
}


def made(claim, good):
    scaling, column, inside, outside = SLOPES[claim]
    columns = ("gradient_change", "kernel_change", "linear_gap")
    table = sweep(scaling, column, inside if good else outside, columns)
    if claim == "P13c":  # the other one is steep enough
        table["gradient_change"] = table.width**-0.3
    return {"descent": table}
