"""The controls of security, one mutant for each: what would be if it were missing, and which test says so."""

from tests.mutants.running import Mutant

VIEWS = "tests/ratings/test_views.py"
LINKS = "tests/ratings/test_links.py"
RENDERING = "tests/experiments/test_rendering.py"
HEADERS = "tests/config/test_headers.py"
ORIGINS = "tests/config/test_origins.py"
ENTERING = "tests/accounts/test_views.py"
HOSTS = "tests/backends/test_hosts.py"
NETWORK = "tests/backends/test_network.py"
ENCRYPTION = "tests/backends/test_encryption.py"

MUTANTS = (
    Mutant(
        "raw markup of a model is text",
        "experiments/rendering.py",
        '"html": False, "linkify": False',
        '"html": True, "linkify": False',
        (f"{RENDERING}::test_hostile_outputs_are_inert", f"{RENDERING}::test_any_text_gives_inert_html"),
    ),
    Mutant(
        "no picture of a model is loaded",
        "experiments/rendering.py",
        '    *("table", "thead", "tbody", "tr", "th", "td"),\n}',
        '    *("table", "thead", "tbody", "tr", "th", "td"),\n    "img",\n}',
        (f"{RENDERING}::test_what_could_act_or_look_like_the_page_is_never_safe",),
    ),
    Mutant(
        "a text cannot look like the page",
        "experiments/rendering.py",
        'allowed = _LANGUAGE_CLASS.fullmatch(value) if tag == "code" else value in _CODE_CLASSES',
        "allowed = True",
        (f"{RENDERING}::test_what_could_act_or_look_like_the_page_is_never_safe",),
    ),
    Mutant(
        "links tell nobody where they were clicked",
        "experiments/rendering.py",
        'link_rel="noopener noreferrer nofollow"',
        "link_rel=None",
        (f"{RENDERING}::test_links_tell_nobody_where_they_were_clicked",),
    ),
    Mutant(
        "nothing in a text is obeyed by htmx",
        "templates/ratings/_output.html",
        'dir="auto" hx-disable>',
        'dir="auto">',
        ("tests/ratings/test_blind.py::test_nothing_in_a_text_is_obeyed",),
    ),
    Mutant(
        "htmx evaluates nothing",
        "templates/_document.html",
        '"allowEval":false',
        '"allowEval":true',
        ("tests/static/test_templates.py::test_the_hx_configuration_shuts_what_could_be_misused",),
    ),
    Mutant(
        "scripts come from files of ours",
        "config/headers.py",
        "script-src 'self';",
        "script-src 'self' 'unsafe-inline';",
        (f"{HEADERS}::test_nothing_unsafe_is_ever_allowed",),
    ),
    Mutant(
        "pages are framed nowhere",
        "config/headers.py",
        "frame-ancestors 'none';",
        "frame-ancestors 'self';",
        (f"{HEADERS}::test_nothing_unsafe_is_ever_allowed",),
    ),
    Mutant(
        "addresses of pages stay here",
        "config/settings.py",
        'SECURE_REFERRER_POLICY = "same-origin"',
        'SECURE_REFERRER_POLICY = "unsafe-url"',
        (f"{HEADERS}::test_every_answer_has_all_of_them",),
    ),
    Mutant(
        "a verdict needs the form's token",
        "ratings/views.py",
        "def _judge(request: RaterRequest)",
        "rate.csrf_exempt = True\n\n\ndef _judge(request: RaterRequest)",
        (f"{VIEWS}::test_a_verdict_needs_the_token_of_the_form",),
    ),
    Mutant(
        "forms of other sites are refused",
        "config/settings.py",
        '    "config.origins.SameOrigin",\n',
        "",
        (f"{ORIGINS}::test_a_form_of_another_site_is_refused",),
    ),
    Mutant(
        "the site answers to its own names only",
        "config/settings.py",
        'ALLOWED_HOSTS = [*environment.host_names("ALLOWED_HOSTS")',
        'ALLOWED_HOSTS = ["*", *environment.host_names("ALLOWED_HOSTS")',
        (f"{ORIGINS}::test_a_name_that_somebody_else_made_lead_here_is_refused",),
    ),
    Mutant(
        "what is not yours is not found",
        "experiments/models.py",
        "        return self.filter(owners=user)\n",
        "        return self.all()\n",
        ("tests/reports/test_views.py::test_a_stranger_gets_404_whatever_the_state",),
    ),
    Mutant(
        "tries to sign in are counted",
        "accounts/throttling.py",
        "    if len(tries) >= most:",
        "    if len(tries) >= most + 10_000:",
        (f"{ENTERING}::test_the_eleventh_try_is_refused_even_with_the_right_password",),
    ),
    Mutant(
        "tries of links are counted",
        "ratings/links.py",
        "            attempt(LINKS, place, now=now)",
        "            pass",
        (f"{LINKS}::test_guessing_is_stopped_by_place_and_for_a_while",),
    ),
    Mutant(
        "who has an account is not told",
        "accounts/views/entering.py",
        '        form.add_error(None, _("This address and password do not belong together."))',
        '        known = User.objects.filter(email=form.cleaned_data["email"]).exists()\n'
        '        form.add_error(None, "Wrong password." if known else "No such account.")',
        (f"{ENTERING}::test_a_wrong_password_and_an_unknown_address_look_the_same",),
    ),
    Mutant(
        "signing in leads to our own pages",
        "accounts/views/entering.py",
        "    if url_has_allowed_host_and_scheme(wanted, {request.get_host()}, require_https=request.is_secure()):",
        "    if wanted:",
        (f"{ENTERING}::test_signing_in_leads_only_to_our_own_pages",),
    ),
    Mutant(
        "signing out clears what the browser kept",
        "accounts/views/entering.py",
        '    response.headers["Clear-Site-Data"] = \'"cache", "storage"\'\n',
        "",
        (f"{ENTERING}::test_signing_out_needs_a_post_and_clears_what_the_browser_kept",),
    ),
    Mutant(
        "links are kept as hashes",
        "ratings/links.py",
        "    return hashlib.sha256(token.encode()).hexdigest()",
        "    return token",
        (f"{LINKS}::test_a_link_is_good_for_a_fortnight_and_kept_only_as_a_hash",),
    ),
    Mutant(
        "links end",
        "ratings/models.py",
        "return self.revoked_at is None and (self.expires_at is None or now < self.expires_at)",
        "return self.revoked_at is None",
        (f"{LINKS}::test_a_withdrawn_an_expired_and_a_finished_link_say_so",),
    ),
    Mutant(
        "a withdrawn link ends its session",
        "ratings/links.py",
        '    if rater.revoked_at is not None:\n        return "revoked"\n',
        "",
        (f"{VIEWS}::test_a_withdrawn_link_ends_its_session_at_once",),
    ),
    Mutant(
        "looking at a link does not use it up",
        "ratings/views.py",
        '    if request.method == "POST":\n        links.begin(',
        '    if request.method in {"GET", "POST"}:\n        links.begin(',
        (f"{VIEWS}::test_opening_the_link_uses_nothing_up",),
    ),
    Mutant(
        "a session gets a new key",
        "ratings/access.py",
        "    request.session.cycle_key()\n",
        "",
        (f"{VIEWS}::test_a_session_gets_a_new_key_with_the_exchange",),
    ),
    Mutant(
        "the token leaves the address",
        "ratings/views.py",
        'return _see_other("/rate/" if knock.rater.practised_at else "/rate/instructions/")',
        'return _see_other(f"/rate/?from={token}")',
        (f"{VIEWS}::test_the_token_is_dropped_from_the_address_and_from_the_pages",),
    ),
    Mutant(
        "logs hold no token",
        "config/logs.py",
        "        if cleaned != message:",
        "        if cleaned != message and not record.name:",
        (f"{VIEWS}::test_the_log_holds_the_hash_of_a_token_and_never_the_token",),
    ),
    Mutant(
        "a key belongs to its row and host",
        "backends/encryption.py",
        'return "\\0".join((self.table, str(self.row), self.host.lower())).encode()',
        'return b""',
        (f"{ENCRYPTION}::test_a_secret_is_read_in_its_own_place_only",),
    ),
    Mutant(
        "another host demands the key again",
        "backends/endpoints.py",
        '    return f"{parts.scheme}://{parts.netloc}".lower()',
        '    return f"{parts.scheme}".lower()',
        ("tests/console/test_views_endpoints.py::test_another_host_demands_the_key_again",),
    ),
    Mutant(
        "redirects are not followed",
        "backends/client.py",
        "follow_redirects=False",
        "follow_redirects=True",
        (f"{NETWORK}::test_a_redirect_to_a_forbidden_address_is_not_followed",),
    ),
    Mutant(
        "metadata services are never called",
        "backends/hosts.py",
        '        "169.254.0.0/16",\n',
        "",
        (f"{HOSTS}::test_metadata_link_local_and_reserved_addresses_are_never_called_and_no_list_allows_them",),
    ),
    Mutant(
        "what was checked is what is called",
        "backends/network.py",
        "                    address, port, _within(timeout, httpcore.ConnectTimeout), local_address, options",
        "                    host, port, _within(timeout, httpcore.ConnectTimeout), local_address, options",
        (f"{NETWORK}::test_a_name_that_changes_its_address_after_the_check_gains_nothing",),
    ),
    Mutant(
        "cells are no formulas",
        "reports/exports/cells.py",
        '        return f"\'{value}"',
        "        return value",
        ("tests/reports/test_exports.py::test_a_comment_that_would_be_a_formula_is_made_harmless",),
    ),
    Mutant(
        "the log of what was done only grows",
        "accounts/models.py",
        "        if not self._state.adding:\n            raise AppendOnlyError",
        "        if not self.pk:\n            raise AppendOnlyError",
        ("tests/accounts/test_models.py::test_events_are_only_ever_added",),
    ),
    Mutant(
        "passwords are long",
        "config/settings.py",
        '"OPTIONS": {"min_length": 12}',
        '"OPTIONS": {"min_length": 8}',
        ("tests/accounts/test_actions.py::test_eleven_characters_are_one_too_few",),
    ),
    Mutant(
        "NaN is no JSON",
        "experiments/uploads/json_values.py",
        "parse_constant=_constant",
        "parse_constant=float",
        ("tests/experiments/test_uploads_faults.py::test_bad_json_has_its_sentence",),
    ),
)
