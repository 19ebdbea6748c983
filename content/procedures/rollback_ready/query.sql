WITH seen AS (
  -- Who saw that the version before was back: 2 a person, 1 nobody can say, 0 a machine.
  SELECT b.id AS id, b.release AS release, b.rolled_back_at AS rolled_back_at, b.reason AS reason, b.verified_at AS verified_at, b.verified_by AS verified_by,
         b.rolled_back_at + CAST($verify_hours AS BIGINT) * 3600000 AS due_at, min(b.grade) AS grade,
         min(CASE WHEN h.kind = 'bot' OR h.kind = 'service' THEN 0 WHEN h.kind = 'human' THEN 2 ELSE 1 END) AS person
    FROM rollback b
    LEFT JOIN account_history h ON h.id = b.verified_by AND h.valid_from <= b.verified_at AND h.valid_to > b.verified_at
   WHERE b.rolled_back_at <= $cutoff
   GROUP BY b.id, b.release, b.rolled_back_at, b.reason, b.verified_at, b.verified_by
),
worth AS (
  -- 4 seen in time by a person, 3 not yet due, 2 a person has to judge, 1 nobody can say, 0 not.
  SELECT s.release AS release, s.grade AS grade, s.due_at AS due_at, s.rolled_back_at AS rolled_back_at,
         -- 2 why is written down, 1 nobody can say, 0 it is not: the register may have no such column.
         CASE WHEN s.reason = 'none' THEN 0 WHEN s.reason IS NULL THEN 1 ELSE 2 END AS told,
         CASE WHEN s.verified_at >= s.rolled_back_at AND s.verified_at <= s.due_at AND s.verified_at <= $cutoff AND s.person = 2 THEN 4
              WHEN s.verified_at >= s.rolled_back_at AND s.verified_at <= s.due_at AND s.verified_at <= $cutoff AND s.person = 1 THEN 2
              WHEN s.due_at > $cutoff THEN 3
              WHEN s.verified_at IS NULL THEN 1
              ELSE 0 END AS worth
    FROM seen s
),
judged AS (
  SELECT w.release AS release, min(w.grade) AS grade, min(w.told) AS told, min(w.worth) AS worth,
         max(CASE WHEN w.told = 0 THEN w.rolled_back_at END) AS untold_at,
         max(CASE WHEN w.worth = 0 THEN w.due_at END) AS unseen_at
    FROM worth w
   GROUP BY w.release
)
SELECT r.id AS item,
       r.label AS label,
       r.released_at AS occurred_at,
       r.entry AS entry,
       CASE WHEN j.grade < r.grade THEN j.grade ELSE r.grade END AS grade,
       CASE WHEN r.rollback_target = 'none' OR r.rollback_named_at > r.released_at THEN 'deviation'
            WHEN r.rollback_target IS NOT NULL AND r.rollback_named_at <= r.released_at THEN 'pass'
            ELSE 'no_evidence' END AS a,
       CASE j.told WHEN 2 THEN 'pass' WHEN 1 THEN 'no_evidence' WHEN 0 THEN 'deviation' ELSE 'not_applicable' END AS b,
       CASE j.worth WHEN 4 THEN 'pass' WHEN 3 THEN 'not_yet_due' WHEN 2 THEN 'needs_judgement' WHEN 1 THEN 'no_evidence' WHEN 0 THEN 'deviation'
                    ELSE 'not_applicable' END AS c,
       r.released_at AS a_until,
       -- A release can be taken back at any time up to the cut-off; of that instant itself nobody who looks now can speak.
       CASE WHEN j.untold_at >= r.released_at THEN j.untold_at WHEN j.told = 0 OR $cutoff <= r.released_at THEN r.released_at ELSE $cutoff - 1 END AS b_until,
       CASE WHEN j.unseen_at >= r.released_at THEN j.unseen_at WHEN j.worth = 0 OR $cutoff <= r.released_at THEN r.released_at ELSE $cutoff - 1 END AS c_until
  FROM release r
  LEFT JOIN judged j ON j.release = r.id
 WHERE r.released_at >= $from AND r.released_at < $to AND r.in_scope = 1
