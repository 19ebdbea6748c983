WITH used AS (
  -- The part of the period in which each vendor was used; NULL ends where nobody knows. Two intervals where the tier is unknown.
  SELECT v.id AS id,
         CASE WHEN v.first_used_at < $from THEN $from ELSE v.first_used_at END AS used_from,
         CASE WHEN v.ended IS NULL OR (v.ended = 1 AND v.ended_at IS NULL) THEN NULL
              WHEN v.ended = 1 AND v.ended_at < $to AND v.ended_at <= $cutoff THEN v.ended_at
              WHEN $cutoff < $to THEN $cutoff + 1
              ELSE $to END AS used_to,
         CASE v.tier WHEN 'low' THEN CAST($days_low AS BIGINT) WHEN 'medium' THEN CAST($days_medium AS BIGINT)
                     WHEN 'high' THEN CAST($days_high AS BIGINT) ELSE CAST($days_critical AS BIGINT) END * 86400000 AS least_ms,
         CASE v.tier WHEN 'critical' THEN CAST($days_critical AS BIGINT) WHEN 'high' THEN CAST($days_high AS BIGINT)
                     WHEN 'medium' THEN CAST($days_medium AS BIGINT) ELSE CAST($days_low AS BIGINT) END * 86400000 AS most_ms
    FROM vendor v
),
review AS (
  -- 2 a named person who read something, 1 nobody can say, 0 a machine, or nothing was read.
  SELECT r.id AS id, r.vendor AS vendor, r.done_at AS done_at, r.report AS report, r.report_from AS report_from, r.report_to AS report_to,
         r.opinion AS opinion, r.exceptions_assessed AS exceptions_assessed, r.user_controls_mapped AS user_controls_mapped, r.grade AS grade,
         min(CASE WHEN h.kind = 'bot' OR h.kind = 'service' OR r.report = 'none' THEN 0
                  WHEN h.kind = 'human' AND r.report IS NOT NULL THEN 2
                  ELSE 1 END) AS worth
    FROM vendor_review r
    LEFT JOIN account_history h ON h.id = r.done_by AND h.valid_from <= r.done_at AND h.valid_to > r.done_at
   WHERE r.done_at <= $cutoff OR r.done_at IS NULL
   GROUP BY r.id, r.vendor, r.done_at, r.report, r.report_from, r.report_to, r.opinion, r.exceptions_assessed, r.user_controls_mapped, r.grade
),
span AS (
  -- What speaks for a time: reviews (b), reports and letters (c); for certain (1), and as far as it may (0).
  SELECT 'b' AS attribute, 1 AS certain, r.vendor AS vendor, r.id AS id, r.done_at AS starts_at, r.done_at + u.least_ms + 1 AS ends_at
    FROM review r JOIN used u ON u.id = r.vendor
   WHERE r.worth = 2
  UNION ALL
  SELECT 'b' AS attribute, 0 AS certain, r.vendor AS vendor, r.id AS id, COALESCE(r.done_at, 0) AS starts_at, COALESCE(r.done_at + u.most_ms + 1, 253402300799999) AS ends_at
    FROM review r JOIN used u ON u.id = r.vendor
   WHERE r.worth >= 1
  UNION ALL
  SELECT 'c' AS attribute, 1 AS certain, r.vendor AS vendor, r.id AS id, r.report_from AS starts_at, r.report_to + CAST($gap_days AS BIGINT) * 86400000 AS ends_at
    FROM review r
   WHERE r.worth = 2 AND r.report = 'soc2_type2' AND r.report_from IS NOT NULL AND r.report_to IS NOT NULL
  UNION ALL
  SELECT 'c' AS attribute, 0 AS certain, r.vendor AS vendor, r.id AS id, COALESCE(r.report_from, 0) AS starts_at,
         COALESCE(r.report_to + CAST($gap_days AS BIGINT) * 86400000, 253402300799999) AS ends_at
    FROM review r
   WHERE r.worth >= 1 AND (r.report = 'soc2_type2' OR r.report IS NULL)
  UNION ALL
  SELECT 'c' AS attribute, 1 AS certain, l.vendor AS vendor, l.id AS id, l.covers_from AS starts_at,
         CASE WHEN l.covers_to > l.covers_from + CAST($letter_days AS BIGINT) * 86400000 THEN l.covers_from + CAST($letter_days AS BIGINT) * 86400000
              ELSE l.covers_to END AS ends_at
    FROM vendor_letter l
   WHERE l.covers_from IS NOT NULL AND l.covers_to IS NOT NULL
  UNION ALL
  SELECT 'c' AS attribute, 0 AS certain, l.vendor AS vendor, l.id AS id, COALESCE(l.covers_from, 0) AS starts_at,
         CASE WHEN l.covers_to <= l.covers_from + CAST($letter_days AS BIGINT) * 86400000 OR l.covers_from IS NULL THEN COALESCE(l.covers_to, 253402300799999)
              ELSE l.covers_from + CAST($letter_days AS BIGINT) * 86400000 END AS ends_at
    FROM vendor_letter l
),
cut AS (
  SELECT s.attribute AS attribute, s.certain AS certain, s.vendor AS vendor, s.id AS id,
         CASE WHEN s.starts_at < u.used_from THEN u.used_from ELSE s.starts_at END AS starts_at,
         CASE WHEN s.ends_at > u.used_to THEN u.used_to ELSE s.ends_at END AS ends_at
    FROM span s
    JOIN used u ON u.id = s.vendor
   WHERE s.starts_at < u.used_to AND s.ends_at > u.used_from
),
held AS (
  -- Each instant once: a span counts from where the ones before it ended.
  SELECT c.attribute AS attribute, c.certain AS certain, c.vendor AS vendor, c.starts_at AS starts_at, c.ends_at AS ends_at,
         max(c.ends_at) OVER (PARTITION BY c.attribute, c.certain, c.vendor ORDER BY c.starts_at ASC NULLS FIRST, c.ends_at ASC NULLS FIRST, c.id ASC NULLS FIRST
                              ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS ended_before
    FROM cut c
),
spoken AS (
  SELECT l.vendor AS vendor,
         CAST(sum(CASE WHEN l.attribute = 'b' AND l.certain = 1 THEN l.ms ELSE 0 END) AS BIGINT) AS reviewed_ms,
         CAST(sum(CASE WHEN l.attribute = 'b' AND l.certain = 0 THEN l.ms ELSE 0 END) AS BIGINT) AS perhaps_reviewed_ms,
         CAST(sum(CASE WHEN l.attribute = 'c' AND l.certain = 1 THEN l.ms ELSE 0 END) AS BIGINT) AS reported_ms,
         CAST(sum(CASE WHEN l.attribute = 'c' AND l.certain = 0 THEN l.ms ELSE 0 END) AS BIGINT) AS perhaps_reported_ms
    FROM (SELECT h.vendor AS vendor, h.attribute AS attribute, h.certain AS certain,
                 CASE WHEN h.ended_before IS NULL OR h.ended_before <= h.starts_at THEN h.ends_at - h.starts_at
                      WHEN h.ended_before < h.ends_at THEN h.ends_at - h.ended_before
                      ELSE 0 END AS ms
            FROM held h) l
   GROUP BY l.vendor
),
known AS (
  SELECT v.id AS vendor,
         -- Before it was first used: 2 reviewed, 1 nobody can say, 0 not.
         max(CASE WHEN r.done_at <= v.first_used_at AND r.done_at + u.least_ms >= v.first_used_at THEN r.worth
                  WHEN r.done_at <= v.first_used_at AND r.done_at + u.most_ms >= v.first_used_at AND r.worth >= 1 THEN 1
                  WHEN r.done_at IS NULL AND r.worth >= 1 THEN 1
                  ELSE 0 END) AS before_use,
         -- A report that speaks for a time, in a review that is still in force: 2 was read, 1 nobody can say, 0 was not.
         max(CASE WHEN r.done_at + u.most_ms < u.used_from THEN 0
                  WHEN r.report = 'soc2_type2' THEN r.worth WHEN r.report IS NULL AND r.worth >= 1 THEN 1 ELSE 0 END) AS report,
         -- Of the reviews in force: 2 weighed, 1 nobody can say, 0 one was not.
         min(CASE WHEN r.worth = 0 OR r.done_at >= u.used_to OR r.done_at + u.most_ms < u.used_from THEN NULL
                  WHEN r.report = 'questionnaire' OR r.report = 'iso27001' THEN 2
                  WHEN r.user_controls_mapped = 0 THEN 0
                  WHEN r.opinion <> 'unqualified' AND r.opinion <> 'none' AND r.exceptions_assessed = 0 THEN 0
                  WHEN r.user_controls_mapped = 1 AND (r.opinion = 'unqualified' OR (r.opinion <> 'none' AND r.exceptions_assessed = 1)) THEN 2
                  ELSE 1 END) AS weighed,
         min(r.grade) AS grade
    FROM vendor v
    JOIN used u ON u.id = v.id
    JOIN review r ON r.vendor = v.id
   GROUP BY v.id
)
SELECT v.id AS item,
       v.label AS label,
       $from AS occurred_at,
       v.entry AS entry,
       CASE WHEN l.grade < v.grade AND (k.grade IS NULL OR l.grade < k.grade) THEN l.grade
            WHEN k.grade < v.grade THEN k.grade
            ELSE v.grade END AS grade,
       CASE WHEN v.first_used_at IS NULL THEN 'no_evidence'
            WHEN v.first_used_at < $from THEN 'not_applicable'
            WHEN k.before_use = 2 THEN 'pass'
            WHEN k.before_use = 1 THEN 'needs_judgement'
            ELSE 'deviation' END AS a,
       CASE WHEN u.used_from IS NULL OR u.used_to IS NULL THEN 'no_evidence'
            WHEN s.reviewed_ms = u.used_to - u.used_from THEN 'pass'
            WHEN s.perhaps_reviewed_ms = u.used_to - u.used_from AND v.tier IS NULL THEN 'no_evidence'
            WHEN s.perhaps_reviewed_ms = u.used_to - u.used_from THEN 'needs_judgement'
            ELSE 'deviation' END AS b,
       CASE WHEN v.tier = 'medium' OR v.tier = 'low' THEN 'not_applicable'
            WHEN u.used_from IS NULL OR u.used_to IS NULL THEN 'no_evidence'
            WHEN s.reported_ms = u.used_to - u.used_from AND k.report = 2 THEN 'pass'
            WHEN v.tier IS NULL THEN 'no_evidence'
            WHEN k.report >= 1 AND ($report_must_reach = 0 OR s.perhaps_reported_ms = u.used_to - u.used_from) THEN 'needs_judgement'
            ELSE 'deviation' END AS c,
       CASE WHEN u.used_from IS NULL OR u.used_to IS NULL THEN 'no_evidence'
            WHEN k.weighed = 2 THEN 'pass'
            WHEN k.weighed = 1 THEN 'no_evidence'
            WHEN k.weighed = 0 THEN 'deviation'
            ELSE 'not_applicable' END AS d,
       -- How far back a review, a report or a letter may lie that still counts: the register has to have been kept since then.
       COALESCE(v.first_used_at, $from) - u.most_ms AS a_since,
       COALESCE(u.used_from, $from) - u.most_ms AS b_since,
       COALESCE(u.used_from, $from) - u.most_ms
         - CAST(CASE WHEN $gap_days > $letter_days THEN $gap_days ELSE $letter_days END AS BIGINT) * 86400000 AS c_since,
       COALESCE(u.used_from, $from) - u.most_ms AS d_since
  FROM vendor v
  JOIN used u ON u.id = v.id
  LEFT JOIN spoken s ON s.vendor = v.id
  LEFT JOIN known k ON k.vendor = v.id
  LEFT JOIN (SELECT n.vendor AS vendor, min(n.grade) AS grade FROM vendor_letter n GROUP BY n.vendor) l ON l.vendor = v.id
 WHERE v.in_scope = 1
   AND (v.first_used_at IS NULL OR (v.first_used_at < $to AND v.first_used_at <= $cutoff))
   AND (v.ended = 0 OR v.ended IS NULL OR v.ended_at IS NULL OR v.ended_at > $from)
