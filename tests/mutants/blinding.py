"""The controls of blinding, one mutant for each: what would be if it were missing, and which test says so."""

from tests.mutants.running import Mutant

SWEEP = "tests/blinding/test_the_sweep.py"
LOOK = f"{SWEEP}::test_a_look_at_the_desk_tells_nothing"
CARDS = "tests/blinding/test_the_order_of_cards.py"
VIEWS = "tests/ratings/test_views.py"
DESK = "tests/ratings/test_desk.py"
MIXED = "tests/ratings/test_mixed_in.py"
ALIKE = f"{VIEWS}::test_the_pages_of_real_control_and_repeated_pairs_differ_in_their_texts_only"
END = "tests/blinding/test_nothing_before_the_end.py"
NAMING = "tests/experiments/test_naming.py"
SWAP = "tests/blinding/test_swapping.py"
REPORT = "tests/reports/test_report.py"
LEAVING = "tests/ratings/test_leaving_out.py"

MUTANTS = (
    Mutant(
        "templates are handed values, never rows",
        "ratings/views.py",
        'context["guess" if isinstance(shown, BlindGuess) else "pair"] = shown',
        'context["guess" if isinstance(shown, BlindGuess) else "pair"] = shown\n    context["row"] = request.rater',
        ("tests/blinding/test_only_values_reach_a_template.py::test_a_rater_is_shown_values_only",),
    ),
    Mutant(
        "handles are random",
        "ratings/serving.py",
        "token, lease_until = uuid.uuid4(),",
        "token, lease_until = uuid.UUID(int=offer.leading),",
        (LOOK,),
    ),
    Mutant(
        "experiments have no name for raters",
        "ratings/showing.py",
        'return (owner[0] or owner[1]) if owner else _("The team")',
        "return experiment.title",
        (LOOK,),
    ),
    Mutant(
        "controls look like real pairs",
        "ratings/showing.py",
        "question=experiment.question,\n        messages=messages,",
        'question=experiment.question + (" " if turn.kind == "control" else ""),\n        messages=messages,',
        (ALIKE,),
    ),
    Mutant(
        "repeats look like first showings",
        "ratings/showing.py",
        "break_after=standing.break_after() if turn.is_open else None,",
        'break_after=1 if turn.kind == "repeat" else None,',
        (ALIKE,),
    ),
    Mutant(
        "a repeat is drawn whether it comes or not",
        "ratings/serving.py",
        "    again = giving.again()\n",
        '    again = giving.again() if drawn == "repeat" else None\n',
        ("tests/ratings/test_equal_work.py",),
    ),
    Mutant(
        "a repeat turns its sides",
        "ratings/serving.py",
        "offer, -1 if again.left == offer.leading else 1, again)",
        "offer, 1 if again.left == offer.leading else -1, again)",
        (f"{MIXED}::test_a_repeat_comes_at_least_ten_later_with_its_sides_swapped",),
    ),
    Mutant(
        "sides are drawn",
        "ratings/pairing.py",
        "sides[comparison] = sign * (1 if position < half else -1 if position < 2 * half else odd)",
        "sides[comparison] = 1",
        (f"{CARDS}::test_each_side_is_as_likely",),
    ),
    Mutant(
        "sides do not follow the keys of rows",
        "ratings/pairing.py",
        'key=lambda comparison: draws.number("side", couple, comparison))',
        "key=lambda comparison: comparison)",
        (f"{CARDS}::test_a_side_hangs_on_nothing",),
    ),
    Mutant(
        "a queue is drawn",
        "ratings/pairing.py",
        'return {comparison: draws.number("order", rater, comparison) for group in groups for comparison in group}',
        "return {comparison: comparison for group in groups for comparison in group}",
        (f"{CARDS}::test_a_queue_follows_no_keys",),
    ),
    Mutant(
        "sides are never drawn again",
        "ratings/desk.py",
        "    if standing.open is not None:\n        return _Found(board=board, turn=standing.open,",
        "    if standing.open is not None and standing.open.lease_until is None:\n"
        "        return _Found(board=board, turn=standing.open,",
        (f"{DESK}::test_a_reload_shows_the_same_pair_again_on_the_same_sides",),
    ),
    Mutant(
        "an open pair is leased",
        "ratings/slots.py",
        "live = Q(counts__isnull=True, skipped_at__isnull=True, lease_until__gt=now)",
        "live = Q(counts__isnull=True, skipped_at__isnull=True, lease_until__gt=now, pk__lt=0)",
        (
            f"{DESK}::test_an_absent_rater_blocks_nobody",
            f"{VIEWS}::test_who_holds_the_last_pair_is_not_told_only_that_it_is_held",
        ),
    ),
    Mutant(
        "pages are not stored",
        "config/headers.py",
        'response.headers.setdefault("Cache-Control", "no-store")',
        "pass",
        (f"{VIEWS}::test_a_pair_is_never_kept_by_anybody",),
    ),
    Mutant(
        "pages have no fingerprint",
        "config/settings.py",
        '    "django.middleware.common.CommonMiddleware",',
        '    "django.middleware.common.CommonMiddleware",\n    "django.middleware.http.ConditionalGetMiddleware",',
        (f"{VIEWS}::test_a_pair_is_never_kept_by_anybody",),
    ),
    Mutant(
        "errors say nothing of their cause",
        "config/errors.py",
        "        return _page(500)\n",
        "        return HttpResponse(str(error), status=500)\n",
        (f"{SWEEP}::test_an_error_of_ours_tells_nothing",),
    ),
    Mutant(
        "an absent database is told without its name",
        "config/errors.py",
        "    response = _page(507 if is_full(error) else 503)",
        "    response = HttpResponse(str(error), status=503)",
        (f"{SWEEP}::test_a_database_that_is_away_tells_nothing",),
    ),
    Mutant(
        "nothing is told before the closing",
        "reports/unblinding.py",
        "    if experiment.is_blind:",
        "    if experiment.is_blind and not experiment.pk:",
        (f"{END}::test_every_report_address_answers_409_until_the_end",),
    ),
    Mutant(
        "watching tells no direction",
        "reports/statistics/sequential.py",
        "any(low > even - margin or high < even - margin for",
        "any(low > even - margin for",
        (
            "tests/blinding/test_what_owners_see_before_the_end.py::test_a_watched_study_says_that_it_may_stop_and_no_more",
        ),
    ),
    Mutant(
        "what is held back is never shown",
        "experiments/models.py",
        "            Q(state__in=[OutputState.READY, OutputState.MASKED])\n",
        "            Q(state__in=[OutputState.READY, OutputState.MASKED, OutputState.FLAGGED, OutputState.WITHHELD])\n",
        (
            f"{DESK}::test_outputs_that_are_held_back_are_never_served",
            f"{SWAP}::test_raters_are_not_shown_a_flagged_text",
        ),
    ),
    Mutant(
        "answers are normalised alike",
        "experiments/normalising.py",
        "    text = _UNSTORABLE.sub(",
        "    return raw\n    text = _UNSTORABLE.sub(",
        ("tests/experiments/test_normalising.py::test_debris_goes_at_the_ends_and_in_the_middle",),
    ),
    Mutant(
        "whoever names itself is flagged",
        "experiments/naming.py",
        "    return _without_overlap(found)\n",
        "    return ()\n",
        (f"{SWAP}::test_whoever_says_who_it_is_waits_for_the_owner",),
    ),
    Mutant(
        "invisible letters hide no name",
        "experiments/folding.py",
        '_MARKS = {"Mn", "Cf", "Me"}',
        '_MARKS = {"Mn", "Me"}',
        (f"{SWAP}::test_whoever_says_who_it_is_waits_for_the_owner",),
    ),
    Mutant(
        "look-alike letters hide no name",
        "experiments/folding.py",
        "return Folded(plain, plain.translate(_TWINS), (*places, len(text)))",
        "return Folded(plain, plain, (*places, len(text)))",
        (f"{SWAP}::test_whoever_says_who_it_is_waits_for_the_owner",),
    ),
    Mutant(
        "a mask covers the name",
        "experiments/naming.py",
        "text = text[: finding.start] + instead + text[finding.end :]",
        "text = text[: finding.end] + instead + text[finding.end :]",
        (f"{NAMING}::test_a_masked_text_names_nobody_any_more",),
    ),
    Mutant(
        "each card shows its own text",
        "templates/ratings/_cards.html",
        "html=pair.right_html text=pair.right_text",
        "html=pair.left_html text=pair.left_text",
        (f"{SWAP}::test_texts_that_change_places_change_nothing_else_on_the_page",),
    ),
    Mutant(
        "who won is told from where it stood",
        "reports/statistics/verdicts.py",
        "    return np.where(on_left, worth, 1 - worth)",
        "    return worth",
        (f"{SWAP}::test_the_result_of_turned_pairs_is_the_result",),
    ),
    Mutant(
        "repeats and controls are no votes",
        "reports/votes.py",
        "    votes, unblinded = _blinded_and_not(cast.of_kind(AssignmentKind.RATING), positions)",
        "    votes, unblinded = _blinded_and_not(cast.of_kind(AssignmentKind.CONTROL), positions)",
        (f"{REPORT}::test_repeats_controls_and_unblinded_judgments_never_enter_the_score",),
    ),
    Mutant(
        "judgments of raters who are left out do not count in the report",
        "reports/ballot_rows.py",
        "Rater.objects.filter(experiment=experiment, left_out_at__isnull=True)",
        "Rater.objects.filter(experiment=experiment)",
        ("tests/reports/test_left_out.py::test_every_figure_is_what_it_would_be_had_they_never_rated",),
    ),
    Mutant(
        "judgments of raters who are left out take no place of a pair",
        "ratings/migrations/0004_whose_judgments_are_left_out.py",
        "SET counts = NEW.left_out_at IS NULL AND NOT (",
        "SET counts = NOT (",
        (f"{LEAVING}::test_what_they_judged_is_free_for_others_and_stays_stored",),
    ),
    Mutant(
        "judgments that come after somebody was left out do not count either",
        "ratings/migrations/0004_whose_judgments_are_left_out.py",
        "AND ratings_rater.left_out_at IS NOT NULL",
        "AND ratings_rater.id IS NULL",
        (f"{LEAVING}::test_whatever_is_written_for_one_who_is_left_out_counts_no_more_than_before",),
    ),
    Mutant(
        "nobody is left out once the names are known",
        "ratings/leaving_out.py",
        "    if not rater.experiment.is_blind:",
        "    if not rater.experiment.pk:",
        (f"{LEAVING}::test_after_the_closing_it_is_too_late",),
    ),
    Mutant(
        "who can see the key is marked",
        "ratings/knowing.py",
        "    if not user.is_authenticated:\n        return False\n    family",
        "    if user:\n        return False\n    family",
        (f"{VIEWS}::test_an_owner_is_told_and_judges_unblinded",),
    ),
    Mutant(
        "what was once known is not unlearned",
        "ratings/desk.py",
        "unblinded=unblinded or standing.unblinded,",
        "unblinded=unblinded,",
        ("tests/blinding/test_who_could_know.py",),
    ),
    Mutant(
        "a former owner could know",
        "ratings/knowing.py",
        "owns.exists() or worked.exists()",
        "owns.exists()",
        ("tests/blinding/test_who_could_know.py",),
    ),
    Mutant(
        "answers pass along the whole line of experiments",
        "ratings/knowing.py",
        "        edge = set(found)\n",
        "        edge = set()\n",
        ("tests/blinding/test_who_could_know.py",),
    ),
    Mutant(
        "asking for a guess tells nothing of the pair",
        "ratings/desk.py",
        "return None if last.pk in standing.guessed else last",
        "return None if last.pk in standing.guessed or standing.baseline not in last.offer.group else last",
        (f"{MIXED}::test_every_pair_is_guessed_at_whichever_systems_it_holds",),
    ),
    Mutant(
        "a link that was opened elsewhere says so",
        "ratings/views.py",
        "knock.rater.first_used_at is not None and rater_of(request) != knock.rater",
        "False",
        (f"{VIEWS}::test_a_link_opened_in_a_second_browser_asks_whether_it_was_you",),
    ),
    Mutant(
        "the browser forgets when all is done",
        "ratings/access.py",
        '    answer.headers["Clear-Site-Data"] = \'"storage"\'\n',
        "",
        (f"{VIEWS}::test_the_last_page_and_the_page_of_an_ended_link_have_the_browser_forget",),
    ),
    Mutant(
        "the browser keeps no history of pairs",
        "templates/_document.html",
        '"historyCacheSize":0',
        '"historyCacheSize":10',
        ("tests/static/test_templates.py::test_the_hx_configuration_shuts_what_could_be_misused",),
    ),
    Mutant(
        "no key leads from an output to a name",
        "backends/models.py",
        'arm = models.OneToOneField(Arm, on_delete=models.CASCADE, related_name="+")',
        'arm = models.OneToOneField(Arm, on_delete=models.CASCADE, related_name="system")',
        ("tests/blinding/test_the_arrow_of_the_key.py::test_no_attribute_of_an_anonymous_row_names_the_envelope",),
    ),
    Mutant(
        "raters' code never sees the envelope",
        "ratings/draws.py",
        "import hmac\n",
        "import hmac\nimport backends.queries\n",
        ("tests/blinding/test_the_import_contracts.py",),
    ),
)
