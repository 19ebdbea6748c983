WITH written AS (
  -- Each plan from its first version to its last.
  SELECT p.id AS id, min(p.valid_from) AS valid_from,
         CASE WHEN count(*) = count(p.valid_to) THEN max(p.valid_to) END AS valid_to
    FROM recovery_plan_history p
   GROUP BY p.id
),
last_version AS (
  SELECT v.id AS id, v.label AS label, v.entry AS entry, v.grade AS grade,
         min(CASE WHEN v.valid_to > $from OR v.valid_to IS NULL THEN v.in_scope END) OVER (PARTITION BY v.id) AS in_scope,
         row_number() OVER (PARTITION BY v.id ORDER BY v.valid_from DESC NULLS LAST) AS place
    FROM recovery_plan_history v
   WHERE v.valid_from < $to AND v.valid_from <= $cutoff
),
life AS (
  -- The part of the period in which it held, and from when on an exercise has to lie behind it.
  SELECT w.id AS id,
         CASE WHEN w.valid_to IS NULL THEN 0 ELSE 1 END AS end_known,
         CASE WHEN w.valid_to < $to AND w.valid_to <= $cutoff THEN 1 ELSE 0 END AS gone,
         CASE WHEN w.valid_from + CAST($exercise_days AS BIGINT) * 86400000 + 1 > $from THEN w.valid_from + CAST($exercise_days AS BIGINT) * 86400000 + 1
              ELSE $from END AS starts_at,
         CASE WHEN w.valid_to < $to AND w.valid_to <= $cutoff THEN w.valid_to
              WHEN $cutoff < $to THEN $cutoff + 1
              ELSE $to END AS ends_at
    FROM written w
   WHERE w.valid_from < $to AND w.valid_from <= $cutoff AND (w.valid_to > $from OR w.valid_to IS NULL)
),
exercise AS (
  SELECT t.id AS id, t.plan AS plan, t.disruption_at AS disruption_at, t.grade AS grade,
         CASE WHEN t.disruption_at >= $from AND t.disruption_at < $to THEN 1 WHEN t.disruption_at IS NULL THEN 1 ELSE 0 END AS in_period,
         -- 2 in time, 1 nobody can say, 0 not.
         CASE WHEN t.disruption_at - t.last_good_data_at > m.rpo_ms THEN 0
              WHEN t.disruption_at >= t.last_good_data_at AND m.known = 1 THEN 2
              ELSE 1 END AS lost,
         CASE WHEN t.restored = 0 THEN 0
              WHEN t.restored_at < t.disruption_at OR t.disruption_at IS NULL OR t.restored IS NULL OR t.restored_at IS NULL THEN 1
              WHEN t.restored_at > t.disruption_at + m.rto_ms THEN 0
              WHEN t.restored_at > $cutoff OR m.known = 0 THEN 1
              ELSE 2 END AS back,
         -- 3 put right in time, 2 has days to go, 1 nobody can say, 0 not in time; NULL where nothing was missing.
         CASE WHEN t.gaps_found = 0 THEN NULL
              WHEN t.gaps_found IS NULL OR t.disruption_at IS NULL OR t.gaps_closed_at < t.disruption_at THEN 1
              WHEN t.gaps_closed_at <= m.gap_by AND t.gaps_closed_at <= $cutoff THEN 3
              WHEN m.gap_by > $cutoff THEN 2
              ELSE 0 END AS closed,
         m.gap_by AS gap_by
    FROM dr_test t
    JOIN (SELECT n.id AS id, n.disruption_at + CAST($gap_days AS BIGINT) * 86400000 AS gap_by,
                 -- The plan's own targets where they ask for more than the policy.
                 CASE WHEN count(v.id) > 0 AND count(v.id) = count(v.rpo_minutes) AND count(v.id) = count(v.rto_minutes)
                           AND count(v.id) = count(v.valid_to) THEN 1 ELSE 0 END AS known,
                 max(CASE WHEN v.rpo_minutes < $rpo_minutes THEN v.rpo_minutes ELSE CAST($rpo_minutes AS BIGINT) END) * 60000 AS rpo_ms,
                 max(CASE WHEN v.rto_minutes < $rto_minutes THEN v.rto_minutes ELSE CAST($rto_minutes AS BIGINT) END) * 60000 AS rto_ms
            FROM dr_test n
            LEFT JOIN recovery_plan_history v ON v.id = n.plan AND v.valid_from <= n.disruption_at AND (v.valid_to > n.disruption_at OR v.valid_to IS NULL)
           GROUP BY n.id, n.disruption_at) m ON m.id = t.id
   WHERE t.disruption_at <= $cutoff OR t.disruption_at IS NULL
),
span AS (
  -- The times for which an exercise counts: for certain (1), and as far as it may (0).
  SELECT 1 AS certain, e.plan AS plan, e.id AS id, e.disruption_at AS starts_at, e.disruption_at + CAST($exercise_days AS BIGINT) * 86400000 + 1 AS ends_at
    FROM exercise e
   WHERE e.disruption_at IS NOT NULL
  UNION ALL
  SELECT 0 AS certain, e.plan AS plan, e.id AS id, COALESCE(e.disruption_at, 0) AS starts_at,
         COALESCE(e.disruption_at + CAST($exercise_days AS BIGINT) * 86400000 + 1, 253402300799999) AS ends_at
    FROM exercise e
  UNION ALL
  SELECT 0 AS certain, f.id AS plan, f.id AS id, 0 AS starts_at, 253402300799999 AS ends_at
    FROM life f
   WHERE f.end_known = 0
),
cut AS (
  SELECT s.certain AS certain, s.plan AS plan, s.id AS id,
         CASE WHEN s.starts_at < f.starts_at THEN f.starts_at ELSE s.starts_at END AS starts_at,
         CASE WHEN s.ends_at > f.ends_at THEN f.ends_at ELSE s.ends_at END AS ends_at
    FROM span s
    JOIN life f ON f.id = s.plan
   WHERE s.starts_at < f.ends_at AND s.ends_at > f.starts_at
),
held AS (
  -- Each instant once: a span counts from where the ones before it ended.
  SELECT c.certain AS certain, c.plan AS plan, c.starts_at AS starts_at, c.ends_at AS ends_at,
         max(c.ends_at) OVER (PARTITION BY c.certain, c.plan ORDER BY c.starts_at ASC NULLS FIRST, c.ends_at ASC NULLS FIRST, c.id ASC NULLS FIRST
                              ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS ended_before
    FROM cut c
),
covered AS (
  SELECT h.plan AS plan, h.certain AS certain,
         CAST(sum(CASE WHEN h.ended_before IS NULL OR h.ended_before <= h.starts_at THEN h.ends_at - h.starts_at
                       WHEN h.ended_before < h.ends_at THEN h.ends_at - h.ended_before
                       ELSE 0 END) AS BIGINT) AS ms
    FROM held h
   GROUP BY h.plan, h.certain
),
shown AS (
  -- What the exercises of the period showed, at the worst.
  SELECT e.plan AS plan, max(CASE WHEN e.disruption_at IS NOT NULL THEN 1 ELSE 0 END) AS dated, min(e.lost) AS lost, min(e.back) AS back,
         min(e.closed) AS closed, max(CASE WHEN e.closed = 0 THEN e.gap_by END) AS gap_by
    FROM exercise e
   WHERE e.in_period = 1
   GROUP BY e.plan
)
SELECT p.id AS item,
       p.label AS label,
       $from AS occurred_at,
       p.entry AS entry,
       CASE WHEN g.grade < p.grade THEN g.grade ELSE p.grade END AS grade,
       CASE WHEN f.starts_at < f.ends_at AND (c.ms IS NULL OR c.ms < f.ends_at - f.starts_at) THEN
                 CASE WHEN q.ms = f.ends_at - f.starts_at THEN 'no_evidence' ELSE 'deviation' END
            WHEN s.dated = 1 AND f.end_known = 1 THEN 'pass'
            WHEN s.dated = 0 OR f.end_known = 0 THEN 'no_evidence'
            WHEN f.gone = 1 THEN 'not_applicable'
            ELSE 'not_yet_due' END AS a,
       CASE WHEN s.lost = 2 AND f.end_known = 1 THEN 'pass' WHEN s.lost >= 1 THEN 'no_evidence' WHEN s.lost = 0 THEN 'deviation' ELSE 'not_applicable' END AS b,
       CASE WHEN s.back = 2 AND f.end_known = 1 THEN 'pass' WHEN s.back >= 1 THEN 'no_evidence' WHEN s.back = 0 THEN 'deviation' ELSE 'not_applicable' END AS c,
       CASE WHEN s.closed = 3 AND f.end_known = 1 THEN 'pass' WHEN s.closed = 2 THEN 'not_yet_due' WHEN s.closed = 1 OR s.closed = 3 THEN 'no_evidence' WHEN s.closed = 0 THEN 'deviation'
            ELSE 'not_applicable' END AS d,
       -- How far back an exercise may lie that still counts: the register has to have been kept since then.
       $from - CAST($exercise_days AS BIGINT) * 86400000 AS a_since,
       $from AS b_since,
       $from AS c_since,
       $from AS d_since,
       $from AS a_until,
       $from AS b_until,
       $from AS c_until,
       COALESCE(s.gap_by, $from) AS d_until
  FROM life f
  JOIN last_version p ON p.id = f.id AND p.place = 1
  LEFT JOIN covered c ON c.plan = f.id AND c.certain = 1
  LEFT JOIN covered q ON q.plan = f.id AND q.certain = 0
  LEFT JOIN shown s ON s.plan = f.id
  LEFT JOIN (SELECT e.plan AS plan, min(e.grade) AS grade FROM exercise e GROUP BY e.plan) g ON g.plan = f.id
 WHERE p.in_scope = 1
