WITH employed AS (
  SELECT e.id AS id, e.label AS label, e.entry AS entry, e.grade AS grade, e.account AS account,
         COALESCE(e.started_at, 0) AS starts_at, COALESCE(e.ended_at, 253402300799999) AS ends_at,
         CASE WHEN e.started_at IS NULL OR e.ended_at IS NULL THEN 1 ELSE 0 END AS unsure
    FROM employment e
   WHERE e.in_scope = 1
),
held AS (
  -- What each worked as, while they worked here.
  SELECT e.id AS id, j.job AS job, j.grade AS grade,
         CASE WHEN e.unsure = 1 OR j.valid_to IS NULL THEN 1 ELSE 0 END AS unsure,
         CASE WHEN j.valid_from > e.starts_at THEN j.valid_from ELSE e.starts_at END AS starts_at,
         CASE WHEN j.valid_to < e.ends_at THEN j.valid_to ELSE e.ends_at END AS ends_at
    FROM employed e
    JOIN job_history j ON j.account = e.account AND j.valid_from < e.ends_at AND COALESCE(j.valid_to, 253402300799999) > e.starts_at
),
needed AS (
  -- When they needed which course for it; a job of which nobody says what it is may need any.
  SELECT h.id AS id, c.course AS course, 0 AS nameless,
         CASE WHEN h.unsure = 1 OR c.valid_to IS NULL THEN 1 ELSE 0 END AS unsure,
         CASE WHEN c.grade < h.grade THEN c.grade ELSE h.grade END AS grade,
         CASE WHEN c.valid_from > h.starts_at THEN c.valid_from ELSE h.starts_at END AS starts_at,
         CASE WHEN c.valid_to < h.ends_at THEN c.valid_to ELSE h.ends_at END AS ends_at
    FROM held h
    JOIN role_course_history c ON c.job = h.job AND c.valid_from < h.ends_at AND COALESCE(c.valid_to, 253402300799999) > h.starts_at
  UNION ALL
  SELECT h.id AS id, '' AS course, 1 AS nameless, 1 AS unsure, h.grade AS grade, h.starts_at AS starts_at, h.ends_at AS ends_at
    FROM held h
   WHERE h.job IS NULL
),
marked AS (
  -- Another job, or another list, that needs the same course at once begins nothing new.
  SELECT n.id AS id, n.course AS course, n.unsure AS unsure, n.nameless AS nameless, n.grade AS grade, n.starts_at AS starts_at, n.ends_at AS ends_at,
         CASE WHEN max(n.ends_at) OVER (PARTITION BY n.id, n.course ORDER BY n.starts_at ASC NULLS FIRST, n.ends_at ASC NULLS FIRST
                                        ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) >= n.starts_at THEN 0 ELSE 1 END AS begins
    FROM needed n
   WHERE n.starts_at < n.ends_at
),
numbered AS (
  SELECT m.id AS id, m.course AS course, m.unsure AS unsure, m.nameless AS nameless, m.grade AS grade, m.starts_at AS starts_at, m.ends_at AS ends_at,
         CAST(sum(m.begins) OVER (PARTITION BY m.id, m.course ORDER BY m.starts_at ASC NULLS FIRST, m.ends_at ASC NULLS FIRST
                                  ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW) AS BIGINT) AS turn
    FROM marked m
),
duty AS (
  -- Each time without a break in which a course was needed, where it touches the period.
  SELECT n.id AS id, n.course AS course, n.turn AS turn, max(n.unsure) AS unsure, max(n.nameless) AS nameless, min(n.grade) AS grade,
         min(n.starts_at) AS starts_at, max(n.ends_at) AS ends_at,
         min(n.starts_at) + $first_days * CAST(86400000 AS BIGINT) AS due_at
    FROM numbered n
   GROUP BY n.id, n.course, n.turn
  HAVING min(n.starts_at) <= $as_of AND max(n.ends_at) > $from
),
asked AS (
  SELECT d.id AS id, d.course AS course, d.turn AS turn, d.unsure AS unsure, d.nameless AS nameless, d.ends_at AS ends_at, d.due_at AS due_at,
         CASE WHEN d.due_at < $from THEN $from ELSE d.due_at END AS needed_from,
         CASE WHEN d.ends_at <= $as_of THEN d.ends_at ELSE $as_of + 1 END AS needed_to
    FROM duty d
),
worker AS (
  SELECT e.id AS id, CASE WHEN min(p.person) = max(p.person) THEN min(p.person) END AS person
    FROM employed e
    JOIN (SELECT DISTINCT d.id AS id FROM duty d) d ON d.id = e.id
    LEFT JOIN account_person p ON p.account = e.account AND p.valid_from <= $as_of AND p.valid_to > e.starts_at
   GROUP BY e.id
),
done AS (
  -- Completions, and whose each is; NULL where nobody can say.
  SELECT t.id AS training, t.course AS course, t.done_at AS done_at, t.grade AS grade, w.person AS person,
         CASE WHEN t.recorded_at - t.done_at > $late_days * CAST(86400000 AS BIGINT) OR t.recorded_at < t.done_at THEN 1 ELSE 0 END AS late
    FROM training t
    LEFT JOIN account_person w ON w.account = t.account AND w.valid_from <= COALESCE(t.done_at, $as_of) AND w.valid_to > COALESCE(t.done_at, $as_of)
   WHERE t.done_at <= $cutoff OR t.done_at IS NULL
),
may_be AS (
  -- Completions that are theirs or of somebody who may be them, and those of which, or them of whom, nobody can say who it is.
  SELECT w.id AS id, w.person AS person, d.training AS training, d.course AS course, d.done_at AS done_at, d.grade AS grade, d.late AS late, d.person AS by_person
    FROM worker w
    JOIN done d ON d.person = w.person
  UNION ALL
  SELECT w.id AS id, w.person AS person, d.training AS training, d.course AS course, d.done_at AS done_at, d.grade AS grade, d.late AS late, d.person AS by_person
    FROM worker w
    JOIN person_alike al ON al.other_person = w.person
    JOIN done d ON d.person = al.person
  UNION ALL
  SELECT w.id AS id, w.person AS person, d.training AS training, d.course AS course, d.done_at AS done_at, d.grade AS grade, d.late AS late, d.person AS by_person
    FROM done d
    CROSS JOIN worker w
   WHERE d.person IS NULL
  UNION ALL
  SELECT w.id AS id, w.person AS person, d.training AS training, d.course AS course, d.done_at AS done_at, d.grade AS grade, d.late AS late, d.person AS by_person
    FROM worker w
    CROSS JOIN done d
   WHERE w.person IS NULL
),
theirs AS (
  -- What each is worth: 3 it counts, 2 a person has to say, 1 nobody can say.
  SELECT m.id AS id, m.training AS training, m.course AS course, m.done_at AS done_at, m.grade AS grade,
         max(CASE WHEN m.done_at IS NULL OR m.by_person IS NULL OR m.person IS NULL THEN 1
                  WHEN m.by_person = m.person AND m.late = 0 THEN 3
                  ELSE 2 END) AS worth
    FROM may_be m
   GROUP BY m.id, m.training, m.course, m.done_at, m.grade
),
good AS (
  -- Time that is in order: after a completion, and in leaves with the days that follow.
  SELECT a.id AS id, a.course AS course, a.turn AS turn, t.worth AS worth, 0 AS away, t.grade AS grade, COALESCE(t.done_at, 0) AS starts_at,
         COALESCE(t.done_at + $yearly_days * CAST(86400000 AS BIGINT) + 1, 253402300799999) AS ends_at
    FROM asked a
    JOIN theirs t ON t.id = a.id AND t.course = a.course
  UNION ALL
  SELECT a.id AS id, a.course AS course, a.turn AS turn, CASE WHEN l.ended_at IS NULL THEN 1 ELSE 3 END AS worth, 1 AS away, l.grade AS grade,
         l.started_at AS starts_at, COALESCE(l.ended_at + $return_days * CAST(86400000 AS BIGINT), 253402300799999) AS ends_at
    FROM asked a
    JOIN leave_of_absence l ON l.employment = a.id
),
first AS (
  -- The best that holds when it is first due.
  SELECT a.id AS id, a.course AS course, a.turn AS turn, max(g.worth) AS worth
    FROM asked a
    JOIN good g ON g.id = a.id AND g.course = a.course AND g.turn = a.turn AND g.starts_at <= a.due_at AND g.ends_at > a.due_at
   GROUP BY a.id, a.course, a.turn
),
level AS (SELECT 1 AS worth UNION ALL SELECT 2 AS worth UNION ALL SELECT 3 AS worth),
running AS (
  SELECT s.id AS id, s.course AS course, s.turn AS turn, s.worth AS worth, s.starts_at AS starts_at, s.ends_at AS ends_at,
         max(s.ends_at) OVER (PARTITION BY s.id, s.course, s.turn, s.worth ORDER BY s.starts_at ASC NULLS FIRST, s.ends_at ASC NULLS FIRST
                              ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS ended_before
    FROM (SELECT a.id AS id, a.course AS course, a.turn AS turn, l.worth AS worth,
                 CASE WHEN g.starts_at < a.needed_from THEN a.needed_from ELSE g.starts_at END AS starts_at,
                 CASE WHEN g.ends_at > a.needed_to THEN a.needed_to ELSE g.ends_at END AS ends_at
            FROM asked a
            JOIN good g ON g.id = a.id AND g.course = a.course AND g.turn = a.turn AND g.starts_at < a.needed_to AND g.ends_at > a.needed_from
            JOIN level l ON l.worth <= g.worth
           WHERE a.needed_from < a.needed_to) s
),
covered AS (
  SELECT r.id AS id, r.course AS course, r.turn AS turn, r.worth AS worth,
         CAST(sum(CASE WHEN r.ended_before IS NULL OR r.ended_before <= r.starts_at THEN r.ends_at - r.starts_at
                       WHEN r.ended_before < r.ends_at THEN r.ends_at - r.ended_before ELSE 0 END) AS BIGINT) AS good_ms
    FROM running r
   GROUP BY r.id, r.course, r.turn, r.worth
),
throughout AS (
  -- The best that holds for all the time they are asked.
  SELECT a.id AS id, a.course AS course, a.turn AS turn, max(c.worth) AS worth
    FROM asked a
    JOIN covered c ON c.id = a.id AND c.course = a.course AND c.turn = a.turn AND c.good_ms = a.needed_to - a.needed_from
   GROUP BY a.id, a.course, a.turn
),
on_leave AS (
  -- Away for all the time they are asked.
  SELECT DISTINCT a.id AS id, a.course AS course, a.turn AS turn
    FROM asked a
    JOIN good g ON g.id = a.id AND g.course = a.course AND g.turn = a.turn AND g.away = 1 AND g.worth = 3
         AND g.starts_at <= a.needed_from AND g.ends_at >= a.needed_to
),
said AS (
  -- Of each course, the graver the lower: 0 deviation, 1 no evidence, 2 needs judgement, 3 not yet due, 4 pass, 5 not applicable.
  SELECT a.id AS id, a.nameless AS nameless,
         CASE WHEN a.unsure = 1 THEN 1
              WHEN a.due_at < $from OR a.ends_at <= a.due_at AND a.ends_at < 253402300799999 THEN 5
              WHEN f.worth = 3 THEN 4
              WHEN a.due_at > $cutoff THEN 3
              WHEN f.worth = 2 THEN 2
              WHEN f.worth = 1 OR w.person IS NULL THEN 1
              ELSE 0 END AS a,
         CASE WHEN a.unsure = 1 THEN 1
              WHEN a.needed_from >= a.needed_to OR o.id IS NOT NULL THEN 5
              WHEN t.worth = 3 THEN 4
              WHEN t.worth = 2 THEN 2
              WHEN t.worth = 1 OR w.person IS NULL THEN 1
              ELSE 0 END AS b,
         CASE WHEN a.due_at > $as_of AND a.due_at <= $cutoff THEN a.due_at ELSE $as_of END AS until_at
    FROM asked a
    JOIN worker w ON w.id = a.id
    LEFT JOIN first f ON f.id = a.id AND f.course = a.course AND f.turn = a.turn
    LEFT JOIN throughout t ON t.id = a.id AND t.course = a.course AND t.turn = a.turn
    LEFT JOIN on_leave o ON o.id = a.id AND o.course = a.course AND o.turn = a.turn
),
graded AS (
  SELECT x.id AS id, min(x.grade) AS grade
    FROM (SELECT d.id AS id, d.grade AS grade FROM duty d
          UNION ALL
          SELECT g.id AS id, g.grade AS grade FROM good g WHERE g.worth = 3) x
   GROUP BY x.id
)
SELECT e.id AS item,
       e.label AS label,
       $from AS occurred_at,
       e.entry AS entry,
       CASE WHEN g.grade < e.grade THEN g.grade ELSE e.grade END AS grade,
       CASE WHEN x.nameless = 1 THEN 'no_evidence'
            ELSE CASE x.a WHEN 0 THEN 'deviation' WHEN 1 THEN 'no_evidence' WHEN 2 THEN 'needs_judgement' WHEN 3 THEN 'not_yet_due' WHEN 4 THEN 'pass' ELSE 'not_applicable' END END AS a,
       CASE WHEN x.nameless = 1 AND x.b > 0 THEN 'no_evidence'
            ELSE CASE x.b WHEN 0 THEN 'deviation' WHEN 1 THEN 'no_evidence' WHEN 2 THEN 'needs_judgement' WHEN 4 THEN 'pass' ELSE 'not_applicable' END END AS b,
       $from - $yearly_days * CAST(86400000 AS BIGINT) AS a_since,
       $from - $yearly_days * CAST(86400000 AS BIGINT) AS b_since,
       x.until_at AS a_until,
       $as_of AS b_until
  FROM employed e
  JOIN (SELECT s.id AS id, min(s.a) AS a, min(s.b) AS b, max(s.nameless) AS nameless, max(s.until_at) AS until_at FROM said s GROUP BY s.id) x ON x.id = e.id
  LEFT JOIN graded g ON g.id = e.id
