WITH life AS (
  -- The part of the period in which each network existed; NULL ends where nobody knows.
  SELECT n.id AS id, n.holds AS holds, n.cloud_account AS cloud_account,
         CASE WHEN n.created_at < $from THEN $from ELSE n.created_at END AS starts_at,
         CASE WHEN n.ended IS NULL OR (n.ended = 1 AND n.ended_at IS NULL) THEN NULL
              WHEN n.ended = 1 AND n.ended_at < $to AND n.ended_at <= $cutoff THEN n.ended_at
              WHEN $cutoff < $to THEN $cutoff + 1
              ELSE $to END AS ends_at
    FROM network n
   WHERE n.in_scope = 1
     AND (n.holds = 'production' OR n.holds = 'both' OR n.holds IS NULL)
     AND (n.created_at IS NULL OR (n.created_at < $to AND n.created_at <= $cutoff))
     AND (n.ended = 0 OR n.ended IS NULL OR n.ended_at IS NULL OR n.ended_at > $from)
),
beside AS (
  -- Whether another environment shared its account meanwhile: 2 one did, 1 one may have.
  SELECT f.id AS id,
         max(CASE WHEN o.holds IS NOT NULL AND o.cloud_account = f.cloud_account AND o.created_at < f.ends_at
                       AND (o.created_at >= f.starts_at OR o.ended = 0 OR (o.ended = 1 AND o.ended_at > f.starts_at)) THEN 2
                  ELSE 1 END) AS shared
    FROM life f
    JOIN network o ON o.id <> f.id
   WHERE (o.holds = 'other' OR o.holds = 'both' OR o.holds IS NULL)
     AND (o.cloud_account = f.cloud_account OR o.cloud_account IS NULL OR f.cloud_account IS NULL)
     AND (o.created_at < f.ends_at OR o.created_at IS NULL OR f.ends_at IS NULL)
     AND (o.ended = 0 OR o.ended IS NULL OR o.ended_at IS NULL OR o.ended_at > f.starts_at OR f.starts_at IS NULL)
   GROUP BY f.id
),
way AS (
  -- Versions of ways that lead, or may lead, from another environment into production, cut to the time in which they were open.
  SELECT p.id AS id, p.valid_from AS valid_from, p.label AS label, p.entry AS entry, p.grade AS grade,
         CASE WHEN s.holds IS NOT NULL AND t.holds IS NOT NULL THEN 1 ELSE 0 END AS leads,
         CASE WHEN p.valid_to IS NULL THEN 0 ELSE 1 END AS end_known,
         CASE WHEN p.valid_to IS NULL AND p.valid_from < $from THEN 0 ELSE 1 END AS touches,
         CASE WHEN p.valid_from < $from THEN $from ELSE p.valid_from END AS starts_at,
         CASE WHEN p.valid_to < $to AND p.valid_to <= $cutoff THEN p.valid_to
              WHEN $cutoff < $to THEN $cutoff + 1
              ELSE $to END AS ends_at
    FROM network_path_history p
    JOIN (SELECT v.id AS id, min(v.in_scope) AS in_scope
            FROM network_path_history v
           WHERE v.valid_from < $to AND (v.valid_to > $from OR v.valid_to IS NULL)
           GROUP BY v.id) k ON k.id = p.id AND k.in_scope = 1
    LEFT JOIN network s ON s.id = p.from_network
    LEFT JOIN network t ON t.id = p.to_network
   WHERE p.valid_from < $to AND p.valid_from <= $cutoff AND (p.valid_to > $from OR p.valid_to IS NULL)
     AND (s.holds = 'other' OR s.holds = 'both' OR s.holds IS NULL)
     AND (t.holds = 'production' OR t.holds = 'both' OR t.holds IS NULL)
),
approval AS (
  -- 3 by a person for a reason, 2 by somebody who is no single person, 1 nobody can say, 0 for no reason or by a machine.
  SELECT a.id AS id, a.valid_from AS valid_from, a.path AS path, a.grade AS grade,
         CASE WHEN a.approved_at > a.valid_from THEN a.approved_at ELSE a.valid_from END AS starts_at,
         COALESCE(a.valid_to, 253402300799999) AS ends_at,
         min(CASE WHEN a.reason = '' OR h.kind = 'bot' OR h.kind = 'service' THEN 0
                  WHEN a.reason IS NULL OR a.approved_at IS NULL OR a.valid_to IS NULL OR h.kind IS NULL OR h.kind = 'unknown' THEN 1
                  WHEN h.kind = 'human' THEN 3
                  ELSE 2 END) AS worth
    FROM network_path_approval_history a
    LEFT JOIN account_history h ON h.id = a.approved_by AND h.valid_from <= a.approved_at AND h.valid_to > a.approved_at
   WHERE a.approved_at <= $cutoff OR a.approved_at IS NULL
   GROUP BY a.id, a.valid_from, a.path, a.grade, a.approved_at, a.valid_to
),
cut AS (
  SELECT l.least AS least, w.id AS way, w.valid_from AS version, a.id AS id,
         CASE WHEN a.starts_at < w.starts_at THEN w.starts_at ELSE a.starts_at END AS starts_at,
         CASE WHEN a.ends_at > w.ends_at THEN w.ends_at ELSE a.ends_at END AS ends_at
    FROM way w
    JOIN approval a ON a.path = w.id AND a.starts_at < w.ends_at AND a.ends_at > w.starts_at AND a.starts_at < a.ends_at
    JOIN (SELECT 1 AS least UNION ALL SELECT 2 AS least UNION ALL SELECT 3 AS least) l ON l.least <= a.worth
),
held AS (
  -- Each instant once: an approval counts from where the ones before it ended.
  SELECT c.least AS least, c.way AS way, c.version AS version, c.starts_at AS starts_at, c.ends_at AS ends_at,
         max(c.ends_at) OVER (PARTITION BY c.least, c.way, c.version
                              ORDER BY c.starts_at ASC NULLS FIRST, c.ends_at ASC NULLS FIRST, c.id ASC NULLS FIRST
                              ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS ended_before
    FROM cut c
),
allowed AS (
  SELECT h.least AS least, h.way AS way, h.version AS version, min(h.starts_at) AS starts_at,
         CAST(sum(CASE WHEN h.ended_before IS NULL OR h.ended_before <= h.starts_at THEN h.ends_at - h.starts_at
                       WHEN h.ended_before < h.ends_at THEN h.ends_at - h.ended_before
                       ELSE 0 END) AS BIGINT) AS ms
    FROM held h
   GROUP BY h.least, h.way, h.version
),
judged AS (
  -- The worst version of each way: 3 allowed, 2 a person has to say, 1 nobody can say, 0 open without leave.
  SELECT w.id AS id, min(w.label) AS label, min(w.entry) AS entry, min(w.grade) AS grade, min(w.valid_from) AS valid_from,
         min(CASE WHEN w.end_known = 1 AND k3.ms = w.ends_at - w.starts_at THEN 3
                  WHEN w.end_known = 1 AND k2.ms = w.ends_at - w.starts_at THEN 2
                  WHEN w.end_known = 1 AND k1.ms = w.ends_at - w.starts_at THEN 1
                  WHEN w.leads = 0 THEN 1
                  -- Of a way whose end nobody knows only its first instant is certain.
                  WHEN w.end_known = 0 AND (w.touches = 0 OR k1.starts_at = w.starts_at) THEN 1
                  ELSE 0 END) AS worth
    FROM way w
    LEFT JOIN allowed k3 ON k3.way = w.id AND k3.version = w.valid_from AND k3.least = 3
    LEFT JOIN allowed k2 ON k2.way = w.id AND k2.version = w.valid_from AND k2.least = 2
    LEFT JOIN allowed k1 ON k1.way = w.id AND k1.version = w.valid_from AND k1.least = 1
   GROUP BY w.id
)
SELECT n.id AS item,
       n.label AS label,
       $from AS occurred_at,
       n.entry AS entry,
       n.grade AS grade,
       CASE WHEN f.starts_at IS NULL OR f.ends_at IS NULL THEN 'no_evidence'
            WHEN f.holds = 'both' OR (b.shared = 2 AND f.holds IS NOT NULL) THEN 'deviation'
            WHEN f.holds IS NULL OR f.cloud_account IS NULL OR b.shared IS NOT NULL THEN 'no_evidence'
            ELSE 'pass' END AS a,
       'not_applicable' AS b,
       $from AS a_since,
       $from AS b_since
  FROM life f
  JOIN network n ON n.id = f.id
  LEFT JOIN beside b ON b.id = f.id
UNION ALL
SELECT j.id AS item,
       j.label AS label,
       $from AS occurred_at,
       j.entry AS entry,
       CASE WHEN g.grade < j.grade THEN g.grade ELSE j.grade END AS grade,
       'not_applicable' AS a,
       CASE j.worth WHEN 3 THEN 'pass' WHEN 2 THEN 'needs_judgement' WHEN 1 THEN 'no_evidence' ELSE 'deviation' END AS b,
       $from AS a_since,
       CASE WHEN j.valid_from < $from THEN j.valid_from ELSE $from END AS b_since
  FROM judged j
  LEFT JOIN (SELECT a.path AS path, min(a.grade) AS grade FROM approval a GROUP BY a.path) g ON g.path = j.id
