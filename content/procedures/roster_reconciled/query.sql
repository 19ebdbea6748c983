WITH done AS (
  SELECT t.id AS training, t.course AS course, t.done_at AS done_at, t.entry AS entry, t.grade AS grade,
         min(p.person) AS person, max(p.person) AS other
    FROM training t
    LEFT JOIN account_person p ON p.account = t.account AND p.valid_from <= t.done_at AND p.valid_to > t.done_at
   WHERE t.done_at >= $from AND t.done_at < $to AND t.in_scope = 1
   GROUP BY t.id, t.course, t.done_at, t.entry, t.grade
),
roster AS (
  SELECT p.person AS person, e.started_at AS started_at, e.ended_at AS ended_at, e.grade AS grade
    FROM employment e
    JOIN account_person p ON p.account = e.account AND p.valid_from < COALESCE(e.ended_at, 253402300799999)
         AND p.valid_to > COALESCE(e.started_at, p.valid_from)
),
stood AS (
  -- 3 on the roster then, 2 nobody can say when they worked here, 1 perhaps the same person, 0 not then.
  SELECT d.training AS training, r.grade AS grade,
         CASE WHEN r.started_at - $days * CAST(86400000 AS BIGINT) <= d.done_at
                   AND r.ended_at + $days * CAST(86400000 AS BIGINT) > d.done_at THEN 3
              WHEN r.started_at - $days * CAST(86400000 AS BIGINT) > d.done_at
                   OR r.ended_at + $days * CAST(86400000 AS BIGINT) <= d.done_at THEN 0
              ELSE 2 END AS worth
    FROM done d
    JOIN roster r ON r.person = d.person
  UNION ALL
  SELECT d.training AS training, r.grade AS grade,
         CASE WHEN r.started_at - $days * CAST(86400000 AS BIGINT) > d.done_at
                   OR r.ended_at + $days * CAST(86400000 AS BIGINT) <= d.done_at THEN 0
              ELSE 1 END AS worth
    FROM done d
    JOIN person_alike al ON al.person = d.person
    JOIN roster r ON r.person = al.other_person
),
known AS (
  SELECT s.training AS training, max(s.worth) AS worth, min(s.grade) AS grade FROM stood s GROUP BY s.training
)
SELECT d.training AS item,
       d.course AS label,
       d.done_at AS occurred_at,
       d.entry AS entry,
       CASE WHEN k.grade < d.grade THEN k.grade ELSE d.grade END AS grade,
       CASE WHEN d.person IS NULL THEN 'no_evidence'
            WHEN d.person <> d.other THEN 'needs_judgement'
            WHEN k.worth = 3 THEN 'pass'
            WHEN k.worth = 2 THEN 'no_evidence'
            WHEN k.worth = 1 THEN 'needs_judgement'
            ELSE 'deviation' END AS a
  FROM done d
  LEFT JOIN known k ON k.training = d.training
