"""Selects the items of a reading from what `tickmark check --json` printed.

    python3 select.py OUT.json 40

prints, as one Markdown line each, every item that deviates in independent review (CHG-02) or needs judgement anywhere, or
did so when the sample was drawn, then that many of the other items at random, then eight more from before the convention to
name reviewers (CHG-02 without evidence), of which the first draw holds few. The draws are the same for everyone:
`random.Random(SEED)` over sorted ids.
"""

import json
import random
import sys

SEED = 20261122
EARLY = 8
# Needed judgement when the sample was drawn, and no longer does. One id more or less among those to draw from moves nearly
# every place behind it and so the whole sample, hence these stay out of the draw and on the page.
MENDED = {"04d1a51e7ce81dd9650ec5485aeb4dc2cfe66a95"}
# Needs judgement, and did not when the sample was drawn: it stays among those to draw from, for the same reason.
RAISED = {"1177225bc7eef6325bb38f889132aa42829c8b65"}
PROCEDURES = {"CHG-01": "change_ticket", "CHG-02": "change_independent_review", "CHG-04": "change_tests"}


def main(path, count):
    with open(path, encoding="utf-8") as file:
        report = json.load(file)
    items = {
        control: {item["item"]: item for item in procedure["items"]}
        for control, name in PROCEDURES.items()
        for procedure in report["procedures"]
        if procedure["id"] == name
    }
    reviews = items["CHG-02"]
    judged = [i for i, item in reviews.items() if item["verdicts"]["a"] in ("deviation", "needs_judgement")]
    judged += [
        i
        for control in items
        for i, item in items[control].items()
        if "needs_judgement" in item["verdicts"].values() and i not in judged
    ]
    judged += [i for i in reviews if i in MENDED and i not in judged]
    others = sorted(set(reviews) - (set(judged) - RAISED))
    draw = random.Random(SEED)
    drawn = draw.sample(others, min(count, len(others)))
    before = [i for i in others if reviews[i]["verdicts"]["a"] == "no_evidence" and i not in drawn]
    early = draw.sample(before, min(EARLY, len(before)))

    for title, ids in (
        ("Deviations and needs judgement, now or when the sample was drawn", judged),
        (f"At random, seed {SEED}", drawn),
        (f"At random from before the convention, seed {SEED}", early),
    ):
        print(f"\n## {title} ({len(ids)})\n")
        for i in sorted(ids, key=lambda i: (reviews[i]["occurred_at"], i)):
            verdicts = ", ".join(
                f"{control} {items[control][i]['verdicts']['a']}/{items[control][i]['verdicts']['b']}" for control in items
            )
            print(f"- `{i[:8]}` {reviews[i]['occurred_at'][:10]}: {verdicts}".replace("_", " "))


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
