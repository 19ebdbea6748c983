WITH employed AS (
  -- The last instant at which each worked here in the period.
  SELECT e.id AS id, e.label AS label, e.kind AS kind, e.entry AS entry, e.grade AS grade, e.account AS account, e.started_at AS started_at,
         CASE WHEN e.ended_at <= $as_of THEN e.ended_at - 1 ELSE $as_of END AS last_at,
         CASE WHEN e.started_at IS NULL OR e.ended_at IS NULL THEN 1 ELSE 0 END AS unsure
    FROM employment e
   WHERE e.in_scope = 1 AND COALESCE(e.started_at, $from) <= $as_of AND (e.ended_at > $from OR e.ended_at IS NULL)
),
worker AS (
  SELECT e.id AS id, e.account AS account, e.started_at AS started_at, e.last_at AS last_at, e.unsure AS unsure,
         -- An entry that two people share is nobody's.
         CASE WHEN min(p.person) = max(p.person) THEN min(p.person) END AS person
    FROM employed e
    LEFT JOIN account_person p ON p.account = e.account AND p.valid_from <= e.last_at AND p.valid_to > e.last_at
   GROUP BY e.id, e.account, e.started_at, e.last_at, e.unsure
),
kind AS (
  -- What an account is, also after it ended.
  SELECT h.id AS id, max(CASE WHEN h.kind = 'bot' OR h.kind = 'service' THEN 1 ELSE 0 END) AS machine, min(CASE WHEN h.kind = 'human' THEN 1 ELSE 0 END) AS human
    FROM account_history h
   GROUP BY h.id
),
line AS (
  -- To whom each answers: 2 they lead, or somebody else who works here; 1 nobody can say; 0 somebody who does not, a machine, themselves.
  SELECT w.id AS id, l.id AS line, min(l.grade) AS grade,
         max(CASE WHEN l.valid_to IS NULL OR w.person IS NULL THEN 1
                  WHEN l.leads = 1 THEN 2
                  WHEN l.manager IS NULL THEN 1
                  WHEN l.manager = l.account OR k.machine = 1 OR m.person = w.person THEN 0
                  WHEN m.person IS NULL THEN 1
                  WHEN e.id IS NULL OR e.started_at > w.last_at OR e.ended_at <= w.last_at THEN 0
                  WHEN e.started_at <= w.last_at AND e.ended_at > w.last_at THEN 2
                  ELSE 1 END) AS worth
    FROM worker w
    JOIN reporting_line_history l ON l.account = w.account AND l.valid_from <= w.last_at AND (l.valid_to > w.last_at OR l.valid_to IS NULL)
    LEFT JOIN kind k ON k.id = l.manager
    LEFT JOIN account_person m ON m.account = l.manager AND m.valid_from <= w.last_at AND m.valid_to > w.last_at
    LEFT JOIN account_person o ON o.person = m.person AND o.valid_from <= w.last_at AND o.valid_to > w.last_at
    LEFT JOIN employment e ON e.account = o.account
   GROUP BY w.id, l.id
),
managed AS (
  SELECT l.id AS id, max(l.worth) AS worth, min(CASE WHEN l.worth = 2 THEN l.grade END) AS grade FROM line l GROUP BY l.id
),
done AS (
  -- Appraisals, and whose each is; NULL where nobody can say.
  SELECT a.id AS appraisal, a.done_at AS done_at, a.done_by AS done_by, a.grade AS grade, p.person AS person,
         CASE WHEN a.recorded_at - a.done_at > $late_days * CAST(86400000 AS BIGINT) OR a.recorded_at < a.done_at THEN 1 ELSE 0 END AS late
    FROM appraisal a
    LEFT JOIN account_person p ON p.account = a.account AND p.valid_from <= COALESCE(a.done_at, $as_of) AND p.valid_to > COALESCE(a.done_at, $as_of)
),
may_be AS (
  -- Appraisals that are theirs or of somebody who may be them, and those of which, or them of whom, nobody can say who it is.
  SELECT w.id AS id, w.person AS person, d.appraisal AS appraisal, d.done_at AS done_at, d.done_by AS done_by, d.grade AS grade, d.late AS late, d.person AS of_person
    FROM worker w
    JOIN done d ON d.person = w.person
  UNION ALL
  SELECT w.id AS id, w.person AS person, d.appraisal AS appraisal, d.done_at AS done_at, d.done_by AS done_by, d.grade AS grade, d.late AS late, d.person AS of_person
    FROM worker w
    JOIN person_alike al ON al.other_person = w.person
    JOIN done d ON d.person = al.person
  UNION ALL
  SELECT w.id AS id, w.person AS person, d.appraisal AS appraisal, d.done_at AS done_at, d.done_by AS done_by, d.grade AS grade, d.late AS late, d.person AS of_person
    FROM done d
    CROSS JOIN worker w
   WHERE d.person IS NULL
  UNION ALL
  SELECT w.id AS id, w.person AS person, d.appraisal AS appraisal, d.done_at AS done_at, d.done_by AS done_by, d.grade AS grade, d.late AS late, d.person AS of_person
    FROM worker w
    CROSS JOIN done d
   WHERE w.person IS NULL
),
appraised AS (
  -- What each is worth to them: 3 by somebody else, 2 a person has to say, 1 nobody can say, 0 nothing.
  SELECT m.id AS id, m.appraisal AS appraisal, m.done_at AS done_at, min(m.grade) AS grade,
         max(CASE WHEN b.person = m.person OR k.machine = 1 THEN 0
                  WHEN m.done_at IS NULL OR m.of_person IS NULL OR m.person IS NULL THEN 1
                  WHEN m.of_person <> m.person OR m.late = 1 OR b.person IS NULL OR k.human IS NULL OR k.human = 0 OR al.person IS NOT NULL THEN 2
                  ELSE 3 END) AS worth
    FROM may_be m
    LEFT JOIN kind k ON k.id = m.done_by
    LEFT JOIN account_person b ON b.account = m.done_by AND b.valid_from <= COALESCE(m.done_at, $as_of) AND b.valid_to > COALESCE(m.done_at, $as_of)
    LEFT JOIN person_alike al ON al.person = b.person AND al.other_person = m.person
   GROUP BY m.id, m.appraisal, m.done_at
),
level AS (SELECT 1 AS worth UNION ALL SELECT 2 AS worth UNION ALL SELECT 3 AS worth),
point AS (
  -- At each level of certainty: the beginning, each appraisal, and the last instant.
  SELECT w.id AS id, l.worth AS level, w.started_at AS happened_at FROM worker w CROSS JOIN level l
  UNION
  SELECT a.id AS id, l.worth AS level, a.done_at AS happened_at
    FROM appraised a
    JOIN worker w ON w.id = a.id AND a.done_at > w.started_at AND a.done_at < w.last_at
    JOIN level l ON l.worth <= a.worth
  UNION
  SELECT w.id AS id, l.worth AS level, w.last_at AS happened_at FROM worker w CROSS JOIN level l
),
gap AS (
  SELECT p.id AS id, p.level AS level, p.happened_at AS ends_at,
         lag(p.happened_at) OVER (PARTITION BY p.id, p.level ORDER BY p.happened_at ASC NULLS FIRST) AS starts_at
    FROM point p
),
away AS (
  -- Leaves, cut so that none overlaps another; one of which nobody knows the end may last.
  SELECT x.id AS id, x.level AS level, x.ends_at AS ends_at,
         CASE WHEN x.ended_before > x.starts_at THEN x.ended_before ELSE x.starts_at END AS starts_at
    FROM (SELECT a.employment AS id, l.worth AS level, a.started_at AS starts_at, COALESCE(a.ended_at, 253402300799999) AS ends_at,
                 max(COALESCE(a.ended_at, 253402300799999)) OVER (PARTITION BY a.employment, l.worth ORDER BY a.started_at ASC NULLS FIRST, COALESCE(a.ended_at, 253402300799999) ASC NULLS FIRST
                                                                  ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS ended_before
            FROM leave_of_absence a
            JOIN level l ON l.worth = 1 OR a.ended_at IS NOT NULL) x
),
waited AS (
  -- How long they worked without being appraised, where that goes on in the period.
  SELECT g.id AS id, g.level AS level, g.starts_at AS starts_at, g.ends_at - g.starts_at
           - COALESCE(CAST(sum(CASE WHEN a.ends_at > a.starts_at AND a.ends_at > g.starts_at AND a.starts_at < g.ends_at
                                    THEN CASE WHEN a.ends_at < g.ends_at THEN a.ends_at ELSE g.ends_at END
                                       - CASE WHEN a.starts_at > g.starts_at THEN a.starts_at ELSE g.starts_at END
                                    ELSE 0 END) AS BIGINT), 0) AS ms
    FROM gap g
    JOIN worker w ON w.id = g.id
    LEFT JOIN away a ON a.id = g.id AND a.level = g.level
   WHERE g.starts_at IS NOT NULL AND (g.ends_at > $from OR g.ends_at = w.last_at)
   GROUP BY g.id, g.level, g.starts_at, g.ends_at
),
longest AS (
  SELECT x.id AS id, max(CASE WHEN x.ms <= $days * CAST(86400000 AS BIGINT) THEN x.level ELSE 0 END) AS worth
    FROM (SELECT w.id AS id, w.level AS level, max(w.ms) AS ms FROM waited w GROUP BY w.id, w.level) x
   GROUP BY x.id
),
evidence AS (
  SELECT a.id AS id, min(CASE WHEN a.worth = 3 THEN a.grade END) AS grade, max(CASE WHEN a.worth = 1 AND a.done_at IS NULL THEN 1 ELSE 0 END) AS undated
    FROM appraised a
   GROUP BY a.id
)
SELECT e.id AS item,
       e.label AS label,
       $from AS occurred_at,
       e.entry AS entry,
       CASE WHEN m.grade < e.grade AND m.grade < COALESCE(v.grade, e.grade) THEN m.grade
            WHEN v.grade < e.grade THEN v.grade ELSE e.grade END AS grade,
       CASE WHEN e.unsure = 1 THEN 'no_evidence'
            WHEN m.worth = 2 THEN 'pass'
            WHEN m.worth = 1 OR w.person IS NULL THEN 'no_evidence'
            ELSE 'deviation' END AS a,
       CASE WHEN e.kind = 'contractor' OR e.kind = 'vendor_staff' THEN 'not_applicable'
            WHEN e.unsure = 1 THEN 'no_evidence'
            WHEN e.last_at - e.started_at <= $days * CAST(86400000 AS BIGINT) THEN 'not_applicable'
            WHEN l.worth = 3 THEN 'pass'
            WHEN e.kind = 'unknown' THEN 'no_evidence'
            WHEN l.worth = 2 THEN 'needs_judgement'
            WHEN l.worth = 1 OR v.undated = 1 OR w.person IS NULL THEN 'no_evidence'
            ELSE 'deviation' END AS b,
       $from AS a_since,
       CASE WHEN e.started_at > $from - $days * CAST(86400000 AS BIGINT) THEN e.started_at ELSE $from - $days * CAST(86400000 AS BIGINT) END AS b_since
  FROM employed e
  JOIN worker w ON w.id = e.id
  LEFT JOIN managed m ON m.id = e.id
  LEFT JOIN longest l ON l.id = e.id
  LEFT JOIN evidence v ON v.id = e.id
