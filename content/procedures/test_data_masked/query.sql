WITH life AS (
  -- The part of the period in which data of customers lay there unmasked, as long as it may be.
  SELECT d.id AS id, d.origin AS origin, d.masked AS masked, d.masked_at AS masked_at, d.loaded_at AS loaded_at,
         -- Whether all of that time is known: what began, and what ended.
         CASE WHEN d.loaded_at IS NOT NULL AND (d.removed = 0 OR (d.removed = 1 AND d.removed_at IS NOT NULL)) THEN 1 ELSE 0 END AS known,
         CASE WHEN d.loaded_at > $from THEN d.loaded_at ELSE $from END AS starts_at,
         CASE WHEN d.removed = 1 AND d.removed_at < $to AND d.removed_at <= $cutoff THEN d.removed_at
              WHEN $cutoff < $to THEN $cutoff + 1
              ELSE $to END AS gone_at
    FROM test_data d
   WHERE d.in_scope = 1
     AND (d.loaded_at IS NULL OR (d.loaded_at < $to AND d.loaded_at <= $cutoff))
     AND (d.removed = 0 OR d.removed IS NULL OR d.removed_at IS NULL OR d.removed_at > $from)
),
bare AS (
  SELECT f.id AS id, f.known AS known, f.starts_at AS starts_at,
         CASE WHEN f.masked = 1 AND f.masked_at < f.gone_at THEN f.masked_at ELSE f.gone_at END AS ends_at,
         -- 2 data of customers for certain, 1 nobody can say, 0 none.
         CASE WHEN f.origin = 'made_up' OR f.origin = 'public' THEN 0
              WHEN f.masked = 1 AND f.masked_at <= f.starts_at THEN 0
              WHEN f.origin = 'production' AND (f.masked = 0 OR (f.masked = 1 AND f.masked_at IS NOT NULL)) THEN 2
              ELSE 1 END AS live,
         -- What is gone nobody knows when lay there at its first instant for certain, where that is in the period.
         CASE WHEN f.loaded_at >= $from THEN 1 ELSE 0 END AS began
    FROM life f
),
agreement AS (
  -- 3 by all customers and a person here, 2 by somebody who is no single person, 1 nobody can say, 0 by not all, or a machine.
  SELECT a.id AS id, a.valid_from AS valid_from, a.test_data AS test_data, a.grade AS grade,
         CASE WHEN a.agreed_at > a.valid_from THEN a.agreed_at ELSE a.valid_from END AS starts_at,
         COALESCE(a.valid_to, 253402300799999) AS ends_at,
         min(CASE WHEN a.customers_agreed = 0 OR h.kind = 'bot' OR h.kind = 'service' THEN 0
                  WHEN a.customers_agreed IS NULL OR a.agreed_at IS NULL OR a.valid_to IS NULL OR h.kind IS NULL OR h.kind = 'unknown' THEN 1
                  WHEN h.kind = 'human' THEN 3
                  ELSE 2 END) AS worth
    FROM live_data_agreement_history a
    LEFT JOIN account_history h ON h.id = a.approved_by AND h.valid_from <= a.agreed_at AND h.valid_to > a.agreed_at
   WHERE a.agreed_at <= $cutoff OR a.agreed_at IS NULL
   GROUP BY a.id, a.valid_from, a.test_data, a.grade, a.agreed_at, a.valid_to
),
cut AS (
  SELECT l.least AS least, b.id AS test_data, a.id AS id,
         CASE WHEN a.starts_at < b.starts_at THEN b.starts_at ELSE a.starts_at END AS starts_at,
         CASE WHEN a.ends_at > b.ends_at THEN b.ends_at ELSE a.ends_at END AS ends_at
    FROM bare b
    JOIN agreement a ON a.test_data = b.id AND a.starts_at < b.ends_at AND a.ends_at > b.starts_at AND a.starts_at < a.ends_at
    JOIN (SELECT 1 AS least UNION ALL SELECT 2 AS least UNION ALL SELECT 3 AS least) l ON l.least <= a.worth
),
held AS (
  -- Each instant once: an agreement counts from where the ones before it ended.
  SELECT c.least AS least, c.test_data AS test_data, c.starts_at AS starts_at, c.ends_at AS ends_at,
         max(c.ends_at) OVER (PARTITION BY c.least, c.test_data ORDER BY c.starts_at ASC NULLS FIRST, c.ends_at ASC NULLS FIRST, c.id ASC NULLS FIRST
                              ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS ended_before
    FROM cut c
),
agreed AS (
  SELECT h.least AS least, h.test_data AS test_data, min(h.starts_at) AS starts_at,
         CAST(sum(CASE WHEN h.ended_before IS NULL OR h.ended_before <= h.starts_at THEN h.ends_at - h.starts_at
                       WHEN h.ended_before < h.ends_at THEN h.ends_at - h.ended_before
                       ELSE 0 END) AS BIGINT) AS ms
    FROM held h
   GROUP BY h.least, h.test_data
)
SELECT d.id AS item,
       d.label AS label,
       $from AS occurred_at,
       d.entry AS entry,
       CASE WHEN g.grade < d.grade THEN g.grade ELSE d.grade END AS grade,
       CASE WHEN b.known = 1 AND (b.live = 0 OR k3.ms = b.ends_at - b.starts_at) THEN 'pass'
            WHEN b.known = 1 AND k2.ms = b.ends_at - b.starts_at THEN 'needs_judgement'
            WHEN b.live < 2 OR k1.ms = b.ends_at - b.starts_at THEN 'no_evidence'
            WHEN b.known = 1 OR (b.began = 1 AND (k1.starts_at > b.starts_at OR k1.starts_at IS NULL)) THEN 'deviation'
            ELSE 'no_evidence' END AS a,
       COALESCE(d.loaded_at, $from) AS a_since
  FROM bare b
  JOIN test_data d ON d.id = b.id
  LEFT JOIN agreed k3 ON k3.test_data = b.id AND k3.least = 3
  LEFT JOIN agreed k2 ON k2.test_data = b.id AND k2.least = 2
  LEFT JOIN agreed k1 ON k1.test_data = b.id AND k1.least = 1
  LEFT JOIN (SELECT a.test_data AS test_data, min(a.grade) AS grade FROM agreement a GROUP BY a.test_data) g ON g.test_data = b.id
