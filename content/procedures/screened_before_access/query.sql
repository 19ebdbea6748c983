WITH entrance AS (
  -- What lets an account into a system: while the account is there and the grant holds, whether or not it is listed.
  SELECT g.account AS account, g.grade AS grade,
         CASE WHEN h.valid_from > g.valid_from THEN h.valid_from ELSE g.valid_from END AS starts_at,
         CASE WHEN h.valid_to < COALESCE(g.valid_to, 253402300799999) THEN h.valid_to
              WHEN h.id IS NOT NULL AND h.valid_to IS NULL THEN NULL
              ELSE g.valid_to END AS ends_at
    FROM access_grant_history g
    LEFT JOIN account_history h ON h.id = g.account AND h.valid_from < COALESCE(g.valid_to, 253402300799999)
          AND (h.valid_to > g.valid_from OR h.valid_to IS NULL)
   WHERE h.id IS NOT NULL OR NOT EXISTS (SELECT 1 FROM account_history k WHERE k.id = g.account)
),
begun AS (
  -- When each employment began; where nobody says so, when the person is first seen to have got in.
  SELECT e.id AS id, e.label AS label, e.entry AS entry, e.grade AS grade, e.account AS account, e.started_at AS started_at, e.ended_at AS ended_at,
         COALESCE(e.started_at, (SELECT min(n.starts_at)
                                   FROM account_person p
                                   JOIN account_person k ON k.person = p.person
                                   JOIN entrance n ON n.account = k.account
                                  WHERE p.account = e.account)) AS began_at
    FROM employment e
   WHERE e.in_scope = 1
),
joiner AS (
  SELECT e.id AS id, e.label AS label, e.entry AS entry, e.grade AS grade, e.account AS account, e.started_at AS started_at, e.ended_at AS ended_at,
         e.began_at AS began_at,
         -- An entry that two people share is nobody's.
         CASE WHEN min(p.person) = max(p.person) THEN min(p.person) END AS person
    FROM begun e
    LEFT JOIN account_person p ON p.account = e.account AND p.valid_from <= e.began_at AND p.valid_to > e.began_at
   WHERE e.began_at >= $from AND e.began_at < $to AND e.began_at <= $cutoff
   GROUP BY e.id, e.label, e.entry, e.grade, e.account, e.started_at, e.ended_at, e.began_at
),
first AS (
  -- When they first got in for this employment. What had begun long before, and goes on, is used for it from its first instant on.
  SELECT j.id AS id, min(n.grade) AS grade,
         min(CASE WHEN n.starts_at < j.started_at - $days_before * CAST(86400000 AS BIGINT) THEN j.started_at ELSE n.starts_at END) AS access_at,
         max(CASE WHEN n.ends_at IS NULL AND n.starts_at < j.started_at - $days_before * CAST(86400000 AS BIGINT) THEN 1 ELSE 0 END) AS unsure
    FROM joiner j
    JOIN account_person k ON k.person = j.person
    JOIN entrance n ON n.account = k.account AND n.starts_at < k.valid_to AND n.starts_at < COALESCE(j.ended_at, 253402300799999)
         AND n.starts_at <= $cutoff
         AND (n.starts_at >= j.started_at - $days_before * CAST(86400000 AS BIGINT) OR n.ends_at > j.started_at OR n.ends_at IS NULL)
   GROUP BY j.id
),
paper AS (
  SELECT 'check' AS kind, c.id AS id, c.account AS account, c.done_at AS dated_at, c.grade AS grade,
         CASE WHEN c.result = 'clear' OR c.result = 'findings' AND c.assessed = 1 THEN 3
              WHEN c.result = 'not_allowed' THEN 4
              WHEN c.result = 'findings' AND c.assessed = 0 THEN 0
              ELSE 1 END AS worth
    FROM background_check c
  UNION ALL
  SELECT a.kind AS kind, a.id AS id, a.account AS account, a.signed_at AS dated_at, a.grade AS grade, 3 AS worth
    FROM agreement a
),
theirs AS (
  -- What is theirs, or may be: 4 the law forbids it, 3 in order, 2 a person has to say, 1 nobody can say, 0 too late or too old.
  SELECT f.id AS id, p.kind AS kind, p.id AS paper, min(p.grade) AS grade,
         max(CASE WHEN p.dated_at > f.access_at OR p.dated_at < f.access_at - $days * CAST(86400000 AS BIGINT) OR p.worth = 0 THEN 0
                  WHEN p.dated_at IS NULL OR p.worth = 1 OR f.unsure = 1 THEN 1
                  WHEN w.person = j.person THEN p.worth
                  ELSE 2 END) AS worth
    FROM first f
    JOIN joiner j ON j.id = f.id
    JOIN (SELECT j.id AS id, j.person AS person FROM joiner j
          UNION
          SELECT j.id AS id, al.other_person AS person FROM joiner j JOIN person_alike al ON al.person = j.person) m ON m.id = j.id
    JOIN account_person w ON w.person = m.person
    JOIN paper p ON p.account = w.account
   GROUP BY f.id, p.kind, p.id
),
best AS (
  SELECT t.id AS id, min(t.grade) AS grade,
         max(CASE t.kind WHEN 'check' THEN t.worth END) AS screened,
         max(CASE t.kind WHEN 'confidentiality' THEN t.worth WHEN 'unknown' THEN CASE WHEN t.worth > 1 THEN 1 ELSE t.worth END END) AS bound,
         max(CASE t.kind WHEN 'terms' THEN t.worth WHEN 'unknown' THEN CASE WHEN t.worth > 1 THEN 1 ELSE t.worth END END) AS terms
    FROM theirs t
   GROUP BY t.id
)
SELECT j.id AS item,
       j.label AS label,
       j.began_at AS occurred_at,
       j.entry AS entry,
       CASE WHEN b.grade < j.grade AND b.grade < COALESCE(f.grade, j.grade) THEN b.grade
            WHEN f.grade < j.grade THEN f.grade ELSE j.grade END AS grade,
       CASE WHEN j.started_at IS NULL OR j.person IS NULL THEN 'no_evidence'
            WHEN f.access_at IS NULL OR b.screened = 4 THEN 'not_applicable'
            WHEN b.screened = 3 THEN 'pass' WHEN b.screened = 2 THEN 'needs_judgement' WHEN b.screened = 1 THEN 'no_evidence'
            ELSE 'deviation' END AS a,
       CASE WHEN j.started_at IS NULL OR j.person IS NULL THEN 'no_evidence'
            WHEN f.access_at IS NULL THEN 'not_applicable'
            WHEN b.bound = 3 THEN 'pass' WHEN b.bound = 2 THEN 'needs_judgement' WHEN b.bound = 1 THEN 'no_evidence'
            ELSE 'deviation' END AS b,
       CASE WHEN j.started_at IS NULL OR j.person IS NULL THEN 'no_evidence'
            WHEN f.access_at IS NULL THEN 'not_applicable'
            WHEN b.terms = 3 THEN 'pass' WHEN b.terms = 2 THEN 'needs_judgement' WHEN b.terms = 1 THEN 'no_evidence'
            ELSE 'deviation' END AS c,
       COALESCE(f.access_at, j.began_at) - $days * CAST(86400000 AS BIGINT) AS a_since,
       COALESCE(f.access_at, j.began_at) - $days * CAST(86400000 AS BIGINT) AS b_since,
       COALESCE(f.access_at, j.began_at) - $days * CAST(86400000 AS BIGINT) AS c_since
  FROM joiner j
  LEFT JOIN first f ON f.id = j.id
  LEFT JOIN best b ON b.id = j.id
