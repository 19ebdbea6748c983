WITH reach AS (
  -- How long a review (a) and an exercise (b) counts.
  SELECT 'a' AS attribute, 'review' AS kind, CAST($review_days AS BIGINT) * 86400000 + 1 AS ms
  UNION ALL
  SELECT 'b' AS attribute, 'exercise' AS kind, CAST($exercise_days AS BIGINT) * 86400000 + 1 AS ms
),
life AS (
  -- The part of the period in which each plan held, and from when on something has to lie behind it.
  SELECT e.attribute AS attribute, e.ms AS ms, m.id AS id,
         CASE WHEN m.created_at IS NOT NULL AND (m.ended = 0 OR (m.ended = 1 AND m.ended_at IS NOT NULL)) THEN 1 ELSE 0 END AS known,
         CASE WHEN m.created_at + e.ms > $from THEN m.created_at + e.ms ELSE $from END AS starts_at,
         CASE WHEN m.ended = 1 AND m.ended_at < $to AND m.ended_at <= $cutoff THEN m.ended_at
              WHEN $cutoff < $to THEN $cutoff + 1
              ELSE $to END AS ends_at,
         CASE WHEN m.ended = 1 AND m.ended_at < $to AND m.ended_at <= $cutoff THEN 1 ELSE 0 END AS gone
    FROM response_plan m
    CROSS JOIN reach e
   WHERE m.in_scope = 1
     AND (m.created_at IS NULL OR (m.created_at < $to AND m.created_at <= $cutoff))
     AND (m.ended = 0 OR m.ended IS NULL OR m.ended_at IS NULL OR m.ended_at > $from)
),
review AS (
  -- 2 a named person at a known instant, 1 nobody can say, 0 a machine.
  SELECT w.id AS id, w.plan AS plan, w.kind AS kind, w.done_at AS done_at, w.actions AS actions, w.actions_done_at AS actions_done_at, w.grade AS grade,
         min(CASE WHEN h.kind = 'bot' OR h.kind = 'service' THEN 0 WHEN h.kind = 'human' THEN 2 ELSE 1 END) AS worth
    FROM response_review w
    LEFT JOIN account_history h ON h.id = w.done_by AND h.valid_from <= w.done_at AND h.valid_to > w.done_at
   WHERE w.done_at <= $cutoff OR w.done_at IS NULL
   GROUP BY w.id, w.plan, w.kind, w.done_at, w.actions, w.actions_done_at, w.grade
),
done AS (
  -- What was done, by attribute: for certain (1), and as far as it may have been (0).
  SELECT e.attribute AS attribute, 1 AS certain, w.plan AS plan, w.id AS id, w.done_at AS done_at
    FROM review w
    JOIN reach e ON e.kind = w.kind
   WHERE w.worth = 2
  UNION ALL
  SELECT e.attribute AS attribute, 0 AS certain, w.plan AS plan, w.id AS id, w.done_at AS done_at
    FROM review w
    JOIN reach e ON e.kind = w.kind
   WHERE w.worth >= 1
),
cut AS (
  SELECT d.attribute AS attribute, d.certain AS certain, d.plan AS plan, d.id AS id,
         CASE WHEN d.done_at > f.starts_at THEN d.done_at ELSE f.starts_at END AS starts_at,
         CASE WHEN d.done_at + f.ms < f.ends_at THEN d.done_at + f.ms ELSE f.ends_at END AS ends_at
    FROM done d
    JOIN life f ON f.id = d.plan AND f.attribute = d.attribute
   WHERE f.starts_at < f.ends_at AND (d.done_at IS NULL OR (d.done_at < f.ends_at AND d.done_at + f.ms > f.starts_at))
),
held AS (
  -- Each instant once: a span counts from where the ones before it ended.
  SELECT c.attribute AS attribute, c.certain AS certain, c.plan AS plan, c.starts_at AS starts_at, c.ends_at AS ends_at,
         max(c.ends_at) OVER (PARTITION BY c.attribute, c.certain, c.plan ORDER BY c.starts_at ASC NULLS FIRST, c.ends_at ASC NULLS FIRST, c.id ASC NULLS FIRST
                              ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS ended_before
    FROM cut c
),
covered AS (
  SELECT h.attribute AS attribute, h.certain AS certain, h.plan AS plan,
         CAST(sum(CASE WHEN h.ended_before IS NULL OR h.ended_before <= h.starts_at THEN h.ends_at - h.starts_at
                       WHEN h.ended_before < h.ends_at THEN h.ends_at - h.ended_before
                       ELSE 0 END) AS BIGINT) AS ms
    FROM held h
   GROUP BY h.attribute, h.certain, h.plan
),
judged AS (
  SELECT f.id AS id, f.attribute AS attribute,
         CASE WHEN f.known = 0 THEN 'no_evidence'
              WHEN f.starts_at >= f.ends_at AND f.gone = 1 THEN 'not_applicable'
              -- Nothing is due yet; what was done before counts all the same.
              WHEN f.starts_at >= f.ends_at THEN CASE WHEN d.plan IS NULL THEN 'not_yet_due' ELSE 'pass' END
              WHEN c.ms = f.ends_at - f.starts_at THEN 'pass'
              WHEN p.ms = f.ends_at - f.starts_at THEN 'needs_judgement'
              ELSE 'deviation' END AS verdict
    FROM life f
    LEFT JOIN covered c ON c.plan = f.id AND c.attribute = f.attribute AND c.certain = 1
    LEFT JOIN covered p ON p.plan = f.id AND p.attribute = f.attribute AND p.certain = 0
    LEFT JOIN (SELECT x.plan AS plan, x.attribute AS attribute FROM done x WHERE x.certain = 1 GROUP BY x.plan, x.attribute) d
           ON d.plan = f.id AND d.attribute = f.attribute
),
acted AS (
  -- Of the exercises of the period what they showed: 3 put right in time, 2 has days to go, 1 nobody can say, 0 not in time.
  SELECT x.plan AS plan, min(x.worth) AS worth, max(CASE WHEN x.worth = 0 THEN x.due_at END) AS due_at
    FROM (SELECT w.plan AS plan, w.done_at + CAST($action_days AS BIGINT) * 86400000 AS due_at,
                 CASE WHEN w.actions = 0 THEN NULL
                      WHEN w.actions IS NULL OR w.done_at IS NULL OR w.actions_done_at < w.done_at THEN 1
                      WHEN w.actions_done_at <= w.done_at + CAST($action_days AS BIGINT) * 86400000 AND w.actions_done_at <= $cutoff THEN 3
                      WHEN w.done_at + CAST($action_days AS BIGINT) * 86400000 > $cutoff THEN 2
                      ELSE 0 END AS worth
            FROM review w
           WHERE w.kind = 'exercise' AND ((w.done_at >= $from AND w.done_at < $to) OR w.done_at IS NULL)) x
   GROUP BY x.plan
)
SELECT m.id AS item,
       m.label AS label,
       $from AS occurred_at,
       m.entry AS entry,
       CASE WHEN g.grade < m.grade THEN g.grade ELSE m.grade END AS grade,
       a.verdict AS a,
       b.verdict AS b,
       CASE WHEN t.worth = 0 THEN 'deviation'
            WHEN t.worth = 1 OR (t.worth = 3 AND (m.created_at IS NULL OR m.ended IS NULL OR (m.ended = 1 AND m.ended_at IS NULL))) THEN 'no_evidence'
            WHEN t.worth = 2 THEN 'not_yet_due'
            WHEN t.worth = 3 THEN 'pass'
            ELSE 'not_applicable' END AS c,
       -- How far back a review or an exercise may lie that still counts: the register has to have been kept since then.
       $from - CAST($review_days AS BIGINT) * 86400000 AS a_since,
       $from - CAST($exercise_days AS BIGINT) * 86400000 AS b_since,
       $from AS c_since,
       $from AS a_until,
       $from AS b_until,
       COALESCE(t.due_at, $from) AS c_until
  FROM response_plan m
  JOIN judged a ON a.id = m.id AND a.attribute = 'a'
  JOIN judged b ON b.id = m.id AND b.attribute = 'b'
  LEFT JOIN acted t ON t.plan = m.id
  LEFT JOIN (SELECT w.plan AS plan, min(w.grade) AS grade FROM review w GROUP BY w.plan) g ON g.plan = m.id
