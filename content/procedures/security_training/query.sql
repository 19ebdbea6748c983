WITH employed AS (
  SELECT e.id AS employment, e.label AS label, e.entry AS entry, e.grade AS grade, e.account AS account,
         e.started_at AS started_at, e.ended_at AS ended_at,
         e.started_at + $joiner_days * CAST(86400000 AS BIGINT) AS first_due_at
    FROM employment e
   WHERE e.in_scope = 1 AND COALESCE(e.started_at, $from) <= $as_of AND (e.ended_at > $from OR e.ended_at IS NULL)
),
away AS (
  -- Leaves, with the days that follow them.
  SELECT l.employment AS employment, l.started_at AS starts_at, l.ended_at AS back_at,
         l.ended_at + $return_days * CAST(86400000 AS BIGINT) AS due_at
    FROM leave_of_absence l
),
postponed AS (
  -- What falls due in a leave is due after it; NULL when nobody knows when that is.
  SELECT e.employment AS employment,
         max(CASE WHEN a.employment IS NOT NULL AND a.due_at IS NULL THEN 1 ELSE 0 END) AS unknown,
         max(a.due_at) AS due_at
    FROM employed e
    LEFT JOIN away a ON a.employment = e.employment AND a.starts_at <= e.first_due_at
         AND (a.due_at > e.first_due_at OR a.due_at IS NULL)
   GROUP BY e.employment
),
person AS (
  SELECT e.employment AS employment, e.label AS label, e.entry AS entry, e.grade AS grade, e.started_at AS started_at,
         e.ended_at AS ended_at, e.first_due_at AS first_due_at, p.person AS person,
         CASE WHEN q.unknown = 1 THEN NULL ELSE COALESCE(q.due_at, e.first_due_at) END AS due_at
    FROM employed e
    JOIN postponed q ON q.employment = e.employment
    -- Who somebody is, is said of their entry in the personnel system while they work here.
    LEFT JOIN account_person p ON p.account = e.account AND p.valid_from <= $as_of
         AND p.valid_to > COALESCE(e.started_at, $from)
),
known AS (
  SELECT p.employment AS employment, p.label AS label, p.entry AS entry, p.grade AS grade, p.started_at AS started_at,
         p.ended_at AS ended_at, p.first_due_at AS first_due_at, p.due_at AS due_at,
         min(p.person) AS person, max(p.person) AS other,
         -- What is asked of them begins when they have to have it, and ends with their employment.
         CASE WHEN p.started_at IS NULL THEN $from WHEN p.due_at < $from THEN $from ELSE p.due_at END AS needed_from,
         CASE WHEN p.ended_at < $as_of + 1 THEN p.ended_at ELSE $as_of + 1 END AS needed_to
    FROM person p
   GROUP BY p.employment, p.label, p.entry, p.grade, p.started_at, p.ended_at, p.first_due_at, p.due_at
),
completed AS (
  -- Completions of the course: 3 of a version that counted, 2 for a person to judge, 1 nobody can say, 0 of another version.
  SELECT t.id AS training, t.account AS account, t.done_at AS done_at, t.grade AS grade,
         CASE WHEN t.recorded_at - t.done_at > $late_days * CAST(86400000 AS BIGINT) OR t.recorded_at < t.done_at THEN 1
              ELSE 0 END AS late,
         CASE WHEN t.version IS NULL OR t.done_at IS NULL THEN 1
              WHEN max(CASE WHEN v.version = t.version AND v.valid_from <= t.done_at AND v.valid_to > t.done_at THEN 1
                            ELSE 0 END) = 1 THEN 3
              WHEN count(v.id) = 0 THEN 1
              WHEN max(CASE WHEN v.version = t.version AND v.valid_from <= t.done_at AND v.valid_to IS NULL THEN 1
                            ELSE 0 END) = 1 THEN 1
              ELSE 0 END AS worth
    FROM training t
    LEFT JOIN course_version_history v ON v.course = t.course
   WHERE t.course = $course AND (t.done_at <= $cutoff OR t.done_at IS NULL)
   GROUP BY t.id, t.account, t.done_at, t.recorded_at, t.grade, t.version
),
done AS (
  -- Whose each completion is; NULL where nobody can say.
  SELECT c.training AS training, c.done_at AS done_at, c.grade AS grade, c.late AS late, c.worth AS worth, w.person AS person
    FROM completed c
    LEFT JOIN account_person w ON w.account = c.account AND w.valid_from <= COALESCE(c.done_at, $as_of)
         AND w.valid_to > COALESCE(c.done_at, $as_of)
   WHERE c.worth > 0
),
may_be AS (
  -- Completions that are theirs or of somebody who may be them, and those of which, or them of whom, nobody can say who it is.
  SELECT k.employment AS employment, k.person AS person, k.other AS other, d.training AS training, d.done_at AS done_at,
         d.grade AS grade, d.late AS late, d.worth AS worth, d.person AS by_person
    FROM known k
    JOIN done d ON d.person = k.person
  UNION ALL
  SELECT k.employment AS employment, k.person AS person, k.other AS other, d.training AS training, d.done_at AS done_at,
         d.grade AS grade, d.late AS late, d.worth AS worth, d.person AS by_person
    FROM known k
    JOIN person_alike al ON al.other_person = k.person
    JOIN done d ON d.person = al.person
  UNION ALL
  SELECT k.employment AS employment, k.person AS person, k.other AS other, d.training AS training, d.done_at AS done_at,
         d.grade AS grade, d.late AS late, d.worth AS worth, d.person AS by_person
    FROM done d
    CROSS JOIN known k
   WHERE d.person IS NULL
  UNION ALL
  SELECT k.employment AS employment, k.person AS person, k.other AS other, d.training AS training, d.done_at AS done_at,
         d.grade AS grade, d.late AS late, d.worth AS worth, d.person AS by_person
    FROM known k
    CROSS JOIN done d
   WHERE k.person IS NULL OR k.person <> k.other
),
theirs AS (
  -- What may be theirs, each completion once for each who it may be of.
  SELECT m.employment AS employment, m.training AS training, m.done_at AS done_at, m.grade AS grade,
         max(CASE WHEN m.worth = 1 OR m.by_person IS NULL OR m.person IS NULL OR m.person <> m.other THEN 1
                  WHEN m.by_person = m.person AND m.late = 0 THEN 3
                  ELSE 2 END) AS worth
    FROM may_be m
   GROUP BY m.employment, m.training, m.done_at, m.grade
),
good AS (
  -- Time that is in order: after a completion, and in leaves with the days that follow.
  SELECT t.employment AS employment, t.worth AS worth, COALESCE(t.done_at, 0) AS starts_at,
         COALESCE(t.done_at + $yearly_days * CAST(86400000 AS BIGINT) + 1, 253402300799999) AS ends_at
    FROM theirs t
  UNION ALL
  SELECT a.employment AS employment, CASE WHEN a.due_at IS NULL THEN 1 ELSE 3 END AS worth, a.starts_at AS starts_at,
         COALESCE(a.due_at, 253402300799999) AS ends_at
    FROM away a
),
level AS (SELECT 1 AS worth UNION ALL SELECT 2 AS worth UNION ALL SELECT 3 AS worth),
stretch AS (
  SELECT k.employment AS employment, l.worth AS worth,
         CASE WHEN g.starts_at < k.needed_from THEN k.needed_from ELSE g.starts_at END AS starts_at,
         CASE WHEN g.ends_at > k.needed_to THEN k.needed_to ELSE g.ends_at END AS ends_at
    FROM known k
    JOIN good g ON g.employment = k.employment AND g.starts_at < k.needed_to AND g.ends_at > k.needed_from
    JOIN level l ON l.worth <= g.worth
   WHERE k.needed_from < k.needed_to
),
running AS (
  SELECT s.employment AS employment, s.worth AS worth, s.starts_at AS starts_at, s.ends_at AS ends_at,
         max(s.ends_at) OVER (PARTITION BY s.employment, s.worth ORDER BY s.starts_at ASC NULLS FIRST, s.ends_at ASC NULLS FIRST
                              ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS ended_before
    FROM stretch s
),
covered AS (
  SELECT r.employment AS employment, r.worth AS worth,
         CAST(sum(CASE WHEN r.ended_before IS NULL OR r.ended_before <= r.starts_at THEN r.ends_at - r.starts_at
                       WHEN r.ended_before < r.ends_at THEN r.ends_at - r.ended_before ELSE 0 END) AS BIGINT) AS good_ms
    FROM running r
   GROUP BY r.employment, r.worth
),
throughout AS (
  -- The best that holds for all the time they are asked: 3 trained, 2 for a person to judge, 1 nobody can say.
  SELECT k.employment AS employment, max(c.worth) AS worth
    FROM known k
    JOIN covered c ON c.employment = k.employment AND c.good_ms = k.needed_to - k.needed_from
   GROUP BY k.employment
),
on_leave AS (
  -- Away for all the time they are asked.
  SELECT k.employment AS employment
    FROM known k
    JOIN away a ON a.employment = k.employment AND a.starts_at <= k.needed_from AND a.due_at >= k.needed_to
   GROUP BY k.employment
),
first AS (
  -- The best that counts when it is first due.
  SELECT k.employment AS employment, max(t.worth) AS worth
    FROM known k
    JOIN theirs t ON t.employment = k.employment
     AND (t.done_at <= k.due_at AND t.done_at + $yearly_days * CAST(86400000 AS BIGINT) >= k.due_at OR t.done_at IS NULL)
   GROUP BY k.employment
),
evidence AS (
  SELECT t.employment AS employment, min(t.grade) AS grade
    FROM theirs t
   WHERE t.worth = 3
   GROUP BY t.employment
),
said AS (
  SELECT k.employment AS employment, k.label AS label, k.entry AS entry, k.person AS person, k.due_at AS due_at,
         k.started_at AS started_at, k.ended_at AS ended_at, k.first_due_at AS first_due_at, k.needed_from AS needed_from,
         k.needed_to AS needed_to, COALESCE(f.worth, 0) AS first, COALESCE(t.worth, 0) AS throughout,
         CASE WHEN l.employment IS NULL THEN 0 ELSE 1 END AS away,
         CASE WHEN v.grade < k.grade THEN v.grade ELSE k.grade END AS grade
    FROM known k
    LEFT JOIN first f ON f.employment = k.employment
    LEFT JOIN throughout t ON t.employment = k.employment
    LEFT JOIN on_leave l ON l.employment = k.employment
    LEFT JOIN evidence v ON v.employment = k.employment
)
SELECT s.employment AS item,
       s.label AS label,
       CASE WHEN s.started_at > $from THEN s.started_at ELSE $from END AS occurred_at,
       s.entry AS entry,
       s.grade AS grade,
       CASE WHEN s.started_at IS NULL THEN 'no_evidence'
            WHEN s.first_due_at < $from OR s.ended_at <= s.due_at AND s.ended_at < 253402300799999 THEN 'not_applicable'
            -- Whoever may have left, or not come yet, may be none of the population.
            WHEN s.due_at IS NULL OR s.ended_at IS NULL THEN 'no_evidence'
            WHEN s.first = 3 THEN 'pass'
            WHEN s.due_at > $cutoff THEN 'not_yet_due'
            WHEN s.first = 2 THEN 'needs_judgement'
            WHEN s.first = 1 OR s.person IS NULL THEN 'no_evidence'
            ELSE 'deviation' END AS a,
       CASE WHEN s.needed_from IS NULL THEN 'no_evidence'
            WHEN s.needed_from >= s.needed_to OR s.away = 1 THEN 'not_applicable'
            WHEN s.ended_at IS NULL OR s.started_at IS NULL THEN 'no_evidence'
            WHEN s.throughout = 3 THEN 'pass'
            WHEN s.throughout = 2 THEN 'needs_judgement'
            WHEN s.throughout = 1 OR s.person IS NULL THEN 'no_evidence'
            ELSE 'deviation' END AS b,
       -- What counts in the period may lie a year before it.
       CASE WHEN s.started_at > $from - $yearly_days * CAST(86400000 AS BIGINT) THEN s.started_at
            ELSE $from - $yearly_days * CAST(86400000 AS BIGINT) END AS a_since,
       CASE WHEN s.started_at > $from - $yearly_days * CAST(86400000 AS BIGINT) THEN s.started_at
            ELSE $from - $yearly_days * CAST(86400000 AS BIGINT) END AS b_since,
       CASE WHEN s.due_at > $cutoff OR s.due_at IS NULL THEN $as_of ELSE s.due_at END AS a_until,
       $as_of AS b_until
  FROM said s
