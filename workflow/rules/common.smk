# What the rules of all papers call.


def results_of(paper):
    """What `snakemake <paper>` makes: the figures and the verdicts."""
    figures = [f"<figures>/{paper}/{figure}.svg" for figure in FIGURES[paper]]
    return [*figures, f"<results>/{paper}/claims.json"]
