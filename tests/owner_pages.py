"""Every page of the owners by its address: what the count of queries is asserted of, and what the bench of many times.

What stands behind # is the element that HTMX asks for; SYSTEM and ENDPOINT are put in by whoever asks.
"""

PLAN = "ratings_per_pair=3&planned_raters=9&margin=0.1&pairs=baseline&repeat_share=0.1&control_share=0.1&seed=7"
EVERYWHERE = """ inputs/ inputs/?page=9999 inputs/?q=49 systems/ collecting/ collecting/#progress check/
    check/?kind=identical&page=9999 check/?kind=language raters/ raters/?page=9999 delete/ log/
    log/?q=added&page=9999"""
OF_KIND = {
    "collecting": f"""open/ question/ plan/ plan/?{PLAN}#effort inputs/new/ inputs/1/swap/ inputs/1/swap/?page=9999
        inputs/1/swap/?q=1 systems/new/ systems/recorded/ systems/edit/?name=SYSTEM exports/""",
    "rating": "close/ raters/judgments/ report/ report/pairs/ exports/",
    "closed": """report/ report/pairs/ report/pairs/?page=999999 report/pairs/?system=SYSTEM&page=9
        report/pairs/?commented=yes report/pairs/?commented=yes&page=999999 report/pairs/?input=s-17 exports/
        following/""",
}
LISTS = """/ /?page=20 /?page=9999 /?q=closed /?q=nothing /?q=rating+100,000 /?archived /?archived&page=9
    /?archived&q=closed /account/ /experiments/new/ /experiments/bundle/ /endpoints/ /endpoints/new/
    /endpoints/ENDPOINT/ /people/ /people/?q=person-7 /log/ /log/?page=9999 /log/?q=closed"""
NOT_ASKED = {
    "inputs-preview": "reads a file that was uploaded a moment ago, however much there is of the rest",
    "inputs-problems": "likewise",
    "system-models": "asks a model server",
    "report-file": "a download",
    "export-file": "a download",
    "login": "for whoever is not signed in",
    "forgotten": "likewise",
    "welcome": "likewise",
}


def of_an_experiment(kind: str, *, system: str) -> list[str]:
    """What stands behind the address of an experiment of this kind ("collecting", "rating", "closed")."""
    return ["", *(page.replace("SYSTEM", system) for page in f"{EVERYWHERE} {OF_KIND[kind]}".split())]


def of_the_site(*, endpoint: int) -> list[str]:
    """The pages that belong to no experiment; those who run the site see all of them."""
    return LISTS.replace("ENDPOINT", str(endpoint)).split()
