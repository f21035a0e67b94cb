import polars as pl
from frames import assert_rows, at, collected, day
from survey_rows import answer, invitation, landed, responses

from schemas.survey_responses import SurveyResponses


def fates(table: pl.LazyFrame) -> list[tuple[int, str, bool]]:
    rows = collected(table, SurveyResponses)
    return rows.select("line", "fate", "is_superseded").rows()


def test_the_row_that_landed_last_stands_for_its_response() -> None:
    # Line 3 landed a day later than line 2; line 1 is older than both.
    table = responses(
        [
            answer(1, response_id="r", landing_date=day("2024-06-01")),
            answer(2, response_id="r", landing_date=day("2024-06-01")),
            answer(3, response_id="r", landing_date=day("2024-06-02")),
        ]
    )
    assert [fate for _, fate, _ in fates(table)] == ["duplicate", "duplicate", "counts"]


def test_one_response_may_answer_several_surveys_and_kinds() -> None:
    table = responses(
        [
            answer(9, response_id="r"),
            answer(4, response_id="r", kind="csat"),
            answer(9, response_id="r", survey="other"),
        ]
    )
    assert {fate for _, fate, _ in fates(table)} == {"counts"}


def test_an_invitation_is_replaced_by_its_answer() -> None:
    table = responses([invitation(response_id="r"), answer(9, response_id="r")])
    assert [fate for _, fate, _ in fates(table)] == ["duplicate", "counts"]


def test_a_person_who_answers_again_in_the_same_wave_replaces_the_answer_before() -> None:
    # Answers of ada on days 2, 5 and 9 of one wave: each is superseded on the day of the next.
    who = {"respondent_id": "ada", "wave": "w"}
    table = responses(
        [
            answer(9, "2024-01-09", **who),
            answer(2, "2024-01-02", **who),
            answer(5, "2024-01-05", **who),
        ]
    )
    assert_rows(
        table,
        SurveyResponses,
        [
            {"score": 2.0, "is_superseded": True, "superseded_date": day("2024-01-05")},
            {"score": 5.0, "is_superseded": True, "superseded_date": day("2024-01-09")},
            {"score": 9.0, "is_superseded": False, "superseded_date": None},
        ],
    )


def test_another_wave_survey_kind_or_person_replaces_nothing() -> None:
    who = {"respondent_id": "ada", "wave": "w"}
    table = responses(
        [
            answer(1, **who),
            answer(1, **{**who, "wave": "x"}),
            answer(1, **{**who, "respondent_id": "bob"}),
            answer(1, survey="other", **who),
            answer(1, kind="csat", **who),
            # Without a wave or a person every answer is its own.
            answer(1, respondent_id="ada"),
            answer(1, respondent_id="ada"),
            answer(1, wave="w"),
            answer(1, wave="w"),
        ]
    )
    assert not any(superseded for _, _, superseded in fates(table))


def test_only_answers_that_count_replace_one() -> None:
    # The later answer was corrected into a dismissal: what is left is the first.
    who = {"respondent_id": "ada", "wave": "w"}
    table = responses(
        [
            answer(9, "2024-01-02", response_id="a", **who),
            answer(3, "2024-01-05", response_id="b", **who),
            invitation("2024-01-05", response_id="b", **who),
        ]
    )
    assert fates(table) == [(1, "counts", False), (2, "duplicate", False), (3, "counts", False)]


def test_of_two_answers_of_one_instant_the_one_that_landed_later_holds() -> None:
    who = {"respondent_id": "ada", "wave": "w"}
    table = responses([answer(1, **who), answer(2, **who), answer(3, item=2, line=2, **who)])
    assert [superseded for _, _, superseded in fates(table)] == [True, True, False]


def test_a_customer_s_two_ids_are_one_person() -> None:
    who = {"wave": "w"}
    people = [{"customer_id": "c1", "user_id": "u1"}]
    table = responses(
        [
            answer(1, "2024-01-02", respondent_id="c1", **who),
            answer(2, "2024-01-03", respondent_id="u1", **who),
            answer(3, respondent_id="z"),
            answer(4),
        ],
        people,
    )
    assert_rows(
        table,
        SurveyResponses,
        [
            {"score": 1.0, "person_id": "u1", "is_superseded": True},
            {"score": 2.0, "person_id": "u1", "is_superseded": False},
            {"score": 3.0, "person_id": "z", "is_superseded": False},
            {"score": 4.0, "person_id": None, "is_superseded": False},
        ],
    )


def test_days_are_those_of_the_reporting_time_zone() -> None:
    # 23:30 UTC on 1 January is 00:30 of the 2nd in Berlin.
    late = at("2024-01-01 23:30")
    table = responses(
        [answer(1, "2024-01-01 23:30", asked_ts=late), invitation("2024-01-05")],
        timezone="Europe/Berlin",
    )
    assert_rows(
        table,
        SurveyResponses,
        [
            {"asked_date": day("2024-01-02"), "answered_date": day("2024-01-02")},
            {"asked_date": day("2024-01-05"), "answered_date": None},
        ],
    )


def test_a_dismissed_survey_has_no_day_of_an_answer() -> None:
    table = responses([invitation(answered_ts=at("2024-01-03 10:00"))])
    assert_rows(table, SurveyResponses, [{"score": None, "answered_date": None}])


def test_a_negative_zero_is_a_zero() -> None:
    rows = collected(responses([answer(-0.0, scale_min=-0.0)]), SurveyResponses)
    assert (str(rows["score"][0]), str(rows["scale_min"][0])) == ("0.0", "0.0")


def test_without_rows_there_are_none() -> None:
    assert_rows(responses([]), SurveyResponses, [])
    assert landed([]).collect().is_empty()


def test_answers_of_staff_are_excluded_and_supersede_nothing() -> None:
    first = {"respondent_id": "bob", "wave": "w", "score": 9.0}
    rows = [
        {**first, "answered_ts": at("2024-01-01 10:00")},
        {**first, "answered_ts": at("2024-01-02 10:00")},
        {**first, "respondent_id": "ada", "answered_ts": at("2024-01-02 10:00")},
    ]
    assert_rows(
        responses(rows, staff=["bob"]),
        SurveyResponses,
        [
            {"response_id": "r1", "fate": "excluded", "superseded_date": None},
            {"response_id": "r2", "fate": "excluded", "superseded_date": None},
            {"response_id": "r3", "fate": "counts", "superseded_date": None},
        ],
    )
