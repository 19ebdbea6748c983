WITH written AS (
  -- Each rule from its first version to its last.
  SELECT r.id AS id, min(r.valid_from) AS valid_from,
         CASE WHEN count(*) = count(r.valid_to) THEN max(r.valid_to) END AS valid_to
    FROM net_rule_history r
   GROUP BY r.id
),
life AS (
  -- The part of the period in which it was in force, and from when on a review has to lie behind it.
  SELECT w.id AS id,
         CASE WHEN w.valid_to IS NULL THEN 0 ELSE 1 END AS end_known,
         CASE WHEN w.valid_to < $to AND w.valid_to <= $cutoff THEN 1 ELSE 0 END AS gone,
         CASE WHEN w.valid_from > $from THEN w.valid_from ELSE $from END AS starts_at,
         CASE WHEN w.valid_from + CAST($review_days AS BIGINT) * 86400000 + 1 > $from THEN w.valid_from + CAST($review_days AS BIGINT) * 86400000 + 1
              ELSE $from END AS due_at,
         CASE WHEN w.valid_to < $to AND w.valid_to <= $cutoff THEN w.valid_to
              WHEN $cutoff < $to THEN $cutoff + 1
              ELSE $to END AS ends_at
    FROM written w
   WHERE w.valid_from < $to AND w.valid_from <= $cutoff AND (w.valid_to > $from OR w.valid_to IS NULL)
),
version AS (
  -- Versions that touch that time; the last of them says who answers for the rule.
  SELECT v.id AS id, v.label AS label, v.entry AS entry, v.grade AS grade, v.owner AS owner, v.reason AS reason,
         -- 2 open to nobody outside where it must not be, 1 nobody can say, 0 open.
         CASE WHEN v.source = 'listed' OR v.source = 'internal' OR v.service = 'web' OR v.service = 'other' THEN 2
              WHEN v.source = 'everybody' AND v.service IS NOT NULL THEN 0
              ELSE 1 END AS closed,
         CASE WHEN v.valid_to IS NULL AND v.valid_from < f.starts_at THEN 0 ELSE 1 END AS touches,
         min(v.in_scope) OVER (PARTITION BY v.id) AS in_scope,
         row_number() OVER (PARTITION BY v.id ORDER BY v.valid_from DESC NULLS LAST) AS place
    FROM life f
    JOIN net_rule_history v ON v.id = f.id AND v.valid_from < f.ends_at AND (v.valid_to > f.starts_at OR v.valid_to IS NULL)
),
opened AS (
  SELECT v.id AS id, min(v.grade) AS grade, min(CASE WHEN v.closed = 0 AND v.touches = 0 THEN 1 ELSE v.closed END) AS closed
    FROM version v
   GROUP BY v.id
),
owner AS (
  -- Who answers for it when the period ends, or the rule: 3 a person, 2 no single person here, 1 nobody can say, 0 nobody who is here.
  SELECT f.id AS id,
         CASE WHEN count(h.id) = 0 THEN 1
              WHEN max(CASE WHEN h.valid_from < f.ends_at AND (h.valid_to >= f.ends_at OR h.valid_to IS NULL) THEN 1 ELSE 0 END) = 0 THEN 0
              ELSE min(CASE WHEN h.valid_from >= f.ends_at OR h.valid_to < f.ends_at THEN NULL
                            WHEN h.kind = 'bot' OR h.kind = 'service' THEN 0
                            WHEN h.valid_to IS NULL OR h.kind = 'unknown' THEN 1
                            WHEN h.kind = 'human' THEN 3
                            ELSE 2 END) END AS worth
    FROM life f
    JOIN version v ON v.id = f.id AND v.place = 1
    LEFT JOIN account_history h ON h.id = v.owner
   GROUP BY f.id, f.ends_at
),
review AS (
  -- 2 a named person at a known instant, 1 nobody can say, 0 a machine.
  SELECT r.id AS id, r.rule AS rule, r.reviewed_at AS reviewed_at, r.grade AS grade,
         min(CASE WHEN h.kind = 'bot' OR h.kind = 'service' THEN 0 WHEN h.kind = 'human' THEN 2 ELSE 1 END) AS worth
    FROM net_rule_review r
    LEFT JOIN account_history h ON h.id = r.reviewed_by AND h.valid_from <= r.reviewed_at AND h.valid_to > r.reviewed_at
   WHERE r.reviewed_at <= $cutoff OR r.reviewed_at IS NULL
   GROUP BY r.id, r.rule, r.reviewed_at, r.grade
),
span AS (
  -- The times for which a review counts: for certain (1), and as far as it may (0).
  SELECT 1 AS certain, r.rule AS rule, r.id AS id, r.reviewed_at AS starts_at, r.reviewed_at + CAST($review_days AS BIGINT) * 86400000 + 1 AS ends_at
    FROM review r
   WHERE r.worth = 2
  UNION ALL
  SELECT 0 AS certain, r.rule AS rule, r.id AS id, COALESCE(r.reviewed_at, 0) AS starts_at,
         COALESCE(r.reviewed_at + CAST($review_days AS BIGINT) * 86400000 + 1, 253402300799999) AS ends_at
    FROM review r
   WHERE r.worth >= 1
),
cut AS (
  SELECT s.certain AS certain, s.rule AS rule, s.id AS id,
         CASE WHEN s.starts_at < f.due_at THEN f.due_at ELSE s.starts_at END AS starts_at,
         CASE WHEN s.ends_at > f.ends_at THEN f.ends_at ELSE s.ends_at END AS ends_at
    FROM span s
    JOIN life f ON f.id = s.rule
   WHERE s.starts_at < f.ends_at AND s.ends_at > f.due_at AND f.due_at < f.ends_at
),
held AS (
  -- Each instant once: a span counts from where the ones before it ended.
  SELECT c.certain AS certain, c.rule AS rule, c.starts_at AS starts_at, c.ends_at AS ends_at,
         max(c.ends_at) OVER (PARTITION BY c.certain, c.rule ORDER BY c.starts_at ASC NULLS FIRST, c.ends_at ASC NULLS FIRST, c.id ASC NULLS FIRST
                              ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS ended_before
    FROM cut c
),
covered AS (
  SELECT h.rule AS rule, h.certain AS certain,
         CAST(sum(CASE WHEN h.ended_before IS NULL OR h.ended_before <= h.starts_at THEN h.ends_at - h.starts_at
                       WHEN h.ended_before < h.ends_at THEN h.ends_at - h.ended_before
                       ELSE 0 END) AS BIGINT) AS ms
    FROM held h
   GROUP BY h.rule, h.certain
)
SELECT v.id AS item,
       v.label AS label,
       $from AS occurred_at,
       v.entry AS entry,
       CASE WHEN g.grade < o.grade THEN g.grade ELSE o.grade END AS grade,
       CASE WHEN o.closed = 0 THEN 'deviation'
            WHEN o.closed = 2 AND f.end_known = 1 THEN 'pass'
            ELSE 'no_evidence' END AS a,
       CASE WHEN f.end_known = 0 THEN 'no_evidence'
            WHEN w.worth = 0 THEN 'deviation'
            WHEN v.reason IS NULL OR w.worth = 1 THEN 'no_evidence'
            WHEN w.worth = 2 THEN 'needs_judgement'
            ELSE 'pass' END AS b,
       CASE WHEN f.end_known = 0 THEN 'no_evidence'
            WHEN f.due_at >= f.ends_at AND f.gone = 1 THEN 'not_applicable'
            -- Nothing is due yet; what was done before counts all the same.
            WHEN f.due_at >= f.ends_at THEN CASE WHEN d.rule IS NULL THEN 'not_yet_due' ELSE 'pass' END
            WHEN c.ms = f.ends_at - f.due_at THEN 'pass'
            WHEN p.ms = f.ends_at - f.due_at THEN 'needs_judgement'
            ELSE 'deviation' END AS c,
       $from AS a_since,
       $from AS b_since,
       -- How far back a review may lie that still counts: the register has to have been kept since then.
       $from - CAST($review_days AS BIGINT) * 86400000 AS c_since
  FROM life f
  JOIN version v ON v.id = f.id AND v.place = 1
  JOIN opened o ON o.id = f.id
  JOIN owner w ON w.id = f.id
  LEFT JOIN (SELECT s.rule AS rule FROM span s WHERE s.certain = 1 GROUP BY s.rule) d ON d.rule = f.id
  LEFT JOIN covered c ON c.rule = f.id AND c.certain = 1
  LEFT JOIN covered p ON p.rule = f.id AND p.certain = 0
  LEFT JOIN (SELECT r.rule AS rule, min(r.grade) AS grade FROM review r GROUP BY r.rule) g ON g.rule = f.id
 WHERE v.in_scope = 1
UNION ALL
SELECT n.id AS item,
       n.label AS label,
       $from AS occurred_at,
       n.entry AS entry,
       n.grade AS grade,
       CASE WHEN n.default_deny = 0 AND n.created_at IS NOT NULL AND n.ended IS NOT NULL AND (n.ended = 0 OR n.ended_at IS NOT NULL) THEN 'deviation'
            WHEN n.default_deny = 1 AND n.created_at IS NOT NULL AND n.ended IS NOT NULL AND (n.ended = 0 OR n.ended_at IS NOT NULL) THEN 'pass'
            ELSE 'no_evidence' END AS a,
       'not_applicable' AS b,
       'not_applicable' AS c,
       $from AS a_since,
       $from AS b_since,
       $from AS c_since
  FROM network n
 WHERE n.in_scope = 1
   AND (n.created_at IS NULL OR (n.created_at < $to AND n.created_at <= $cutoff))
   AND (n.ended = 0 OR n.ended IS NULL OR n.ended_at IS NULL OR n.ended_at > $from)
