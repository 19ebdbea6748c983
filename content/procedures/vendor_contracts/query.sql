WITH used AS (
  -- The part of the period in which each vendor was used; NULL ends where nobody knows.
  SELECT v.id AS id,
         CASE WHEN v.first_used_at < $from THEN $from ELSE v.first_used_at END AS used_from,
         CASE WHEN v.ended IS NULL OR (v.ended = 1 AND v.ended_at IS NULL) THEN NULL
              WHEN v.ended = 1 AND v.ended_at < $to AND v.ended_at <= $cutoff THEN v.ended_at
              WHEN $cutoff < $to THEN $cutoff + 1
              ELSE $to END AS used_to
    FROM vendor v
   WHERE v.in_scope = 1
     AND (v.data_class = 'personal' OR v.data_class = 'customer' OR v.data_class = 'confidential' OR v.data_class IS NULL)
     AND (v.first_used_at IS NULL OR (v.first_used_at < $to AND v.first_used_at <= $cutoff))
     AND (v.ended = 0 OR v.ended IS NULL OR v.ended_at IS NULL OR v.ended_at > $from)
),
worth AS (
  -- Of each contract what it says on each matter: 2 what it should, 1 nobody can say, 0 not.
  SELECT 'a' AS matter, k.id AS id, k.vendor AS vendor, k.signed_at AS signed_at, k.ends_at AS ends_at,
         CASE WHEN k.security = 0 OR k.breach_hours > $breach_hours THEN 0 WHEN k.security = 1 AND k.breach_hours IS NOT NULL THEN 2 ELSE 1 END AS worth
    FROM vendor_contract k
  UNION ALL
  SELECT 'b' AS matter, k.id AS id, k.vendor AS vendor, k.signed_at AS signed_at, k.ends_at AS ends_at,
         CASE k.dpa WHEN 1 THEN 2 WHEN 0 THEN 0 ELSE 1 END AS worth
    FROM vendor_contract k
  UNION ALL
  SELECT 'c' AS matter, k.id AS id, k.vendor AS vendor, k.signed_at AS signed_at, k.ends_at AS ends_at,
         CASE k.baa WHEN 1 THEN 2 WHEN 0 THEN 0 ELSE 1 END AS worth
    FROM vendor_contract k
),
cut AS (
  -- For how long each binds: for certain (1), and as far as it may (0).
  SELECT s.matter AS matter, s.certain AS certain, u.id AS vendor, s.id AS id,
         CASE WHEN s.starts_at < u.used_from THEN u.used_from ELSE s.starts_at END AS starts_at,
         CASE WHEN s.ends_at > u.used_to THEN u.used_to ELSE s.ends_at END AS ends_at
    FROM (SELECT w.matter AS matter, 1 AS certain, w.id AS id, w.vendor AS vendor, w.signed_at AS starts_at, w.ends_at AS ends_at
            FROM worth w
           WHERE w.worth = 2 AND w.signed_at IS NOT NULL AND w.ends_at IS NOT NULL
          UNION ALL
          SELECT w.matter AS matter, 0 AS certain, w.id AS id, w.vendor AS vendor, COALESCE(w.signed_at, 0) AS starts_at, COALESCE(w.ends_at, 253402300799999) AS ends_at
            FROM worth w
           WHERE w.worth >= 1) s
    JOIN used u ON u.id = s.vendor
   WHERE s.starts_at < u.used_to AND s.ends_at > u.used_from
),
held AS (
  SELECT c.matter AS matter, c.certain AS certain, c.vendor AS vendor, c.starts_at AS starts_at, c.ends_at AS ends_at,
         max(c.ends_at) OVER (PARTITION BY c.matter, c.certain, c.vendor ORDER BY c.starts_at ASC NULLS FIRST, c.ends_at ASC NULLS FIRST, c.id ASC NULLS FIRST
                              ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS ended_before
    FROM cut c
),
spoken AS (
  SELECT l.matter AS matter, l.vendor AS vendor, CAST(sum(CASE WHEN l.certain = 1 THEN l.ms ELSE 0 END) AS BIGINT) AS certain_ms,
         CAST(sum(CASE WHEN l.certain = 0 THEN l.ms ELSE 0 END) AS BIGINT) AS perhaps_ms
    FROM (SELECT h.matter AS matter, h.certain AS certain, h.vendor AS vendor,
                 CASE WHEN h.ended_before IS NULL OR h.ended_before <= h.starts_at THEN h.ends_at - h.starts_at
                      WHEN h.ended_before < h.ends_at THEN h.ends_at - h.ended_before
                      ELSE 0 END AS ms
            FROM held h) l
   GROUP BY l.matter, l.vendor
),
bound AS (
  -- Over the time of its use: 2 bound all along, 1 perhaps, 0 not.
  SELECT u.id AS id,
         max(CASE WHEN s.matter = 'a' AND s.certain_ms = u.used_to - u.used_from THEN 2 WHEN s.matter = 'a' AND s.perhaps_ms = u.used_to - u.used_from THEN 1 ELSE 0 END) AS a,
         max(CASE WHEN s.matter = 'b' AND s.certain_ms = u.used_to - u.used_from THEN 2 WHEN s.matter = 'b' AND s.perhaps_ms = u.used_to - u.used_from THEN 1 ELSE 0 END) AS b,
         max(CASE WHEN s.matter = 'c' AND s.certain_ms = u.used_to - u.used_from THEN 2 WHEN s.matter = 'c' AND s.perhaps_ms = u.used_to - u.used_from THEN 1 ELSE 0 END) AS c
    FROM used u
    LEFT JOIN spoken s ON s.vendor = u.id
   GROUP BY u.id
)
SELECT v.id AS item,
       v.label AS label,
       $from AS occurred_at,
       v.entry AS entry,
       CASE WHEN g.grade < v.grade THEN g.grade ELSE v.grade END AS grade,
       CASE WHEN u.used_from IS NULL OR u.used_to IS NULL THEN 'no_evidence'
            WHEN b.a = 2 THEN 'pass'
            WHEN b.a = 1 OR v.data_class IS NULL THEN 'no_evidence'
            ELSE 'deviation' END AS a,
       CASE WHEN u.used_from IS NULL OR u.used_to IS NULL THEN 'no_evidence'
            WHEN v.data_class <> 'personal' THEN 'not_applicable'
            WHEN b.b = 2 THEN 'pass'
            WHEN b.b = 1 OR v.data_class IS NULL THEN 'no_evidence'
            ELSE 'deviation' END AS b,
       CASE WHEN u.used_from IS NULL OR u.used_to IS NULL THEN 'no_evidence'
            WHEN v.health_data = 0 THEN 'not_applicable'
            WHEN b.c = 2 THEN 'pass'
            WHEN b.c = 1 OR v.health_data IS NULL THEN 'no_evidence'
            ELSE 'deviation' END AS c,
       COALESCE(v.first_used_at, $from) AS a_since,
       COALESCE(v.first_used_at, $from) AS b_since,
       COALESCE(v.first_used_at, $from) AS c_since
  FROM vendor v
  JOIN used u ON u.id = v.id
  JOIN bound b ON b.id = v.id
  LEFT JOIN (SELECT n.vendor AS vendor, min(n.grade) AS grade FROM vendor_contract n GROUP BY n.vendor) g ON g.vendor = v.id
