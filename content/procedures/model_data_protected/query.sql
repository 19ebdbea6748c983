WITH life AS (
  -- The part of the period in which each was in use: as long as it may be, and what of that is certain.
  -- Whatever may not have been in use, or be something else, is never in order for certain.
  SELECT s.id AS id, s.resource AS resource, s.system AS system, s.starts_at AS starts_at, s.ends_at AS ends_at,
         CASE WHEN s.known_from = 1 AND s.known_to = 1 AND s.kind IS NOT NULL THEN 1 ELSE 0 END AS sure,
         CASE WHEN s.known_from = 1 THEN s.starts_at ELSE s.ends_at - 1 END AS sure_from,
         CASE WHEN s.known_to = 1 THEN s.ends_at WHEN s.began_in = 1 THEN s.starts_at + 1 ELSE s.starts_at END AS sure_to
    FROM (SELECT d.id AS id, d.kind AS kind, d.resource AS resource, d.system AS system,
                 CASE WHEN d.in_use_from > $from THEN d.in_use_from ELSE $from END AS starts_at,
                 CASE WHEN d.retired = 1 AND d.retired_at <= $as_of THEN d.retired_at ELSE $as_of + 1 END AS ends_at,
                 CASE WHEN d.in_use_from IS NULL THEN 0 ELSE 1 END AS known_from,
                 CASE WHEN d.in_use_from >= $from THEN 1 ELSE 0 END AS began_in,
                 CASE WHEN d.retired = 0 OR (d.retired = 1 AND d.retired_at IS NOT NULL) THEN 1 ELSE 0 END AS known_to
            FROM data_asset d
           WHERE d.in_scope = 1 AND (d.kind = 'model' OR d.kind = 'dataset' OR d.kind IS NULL)
             AND (d.in_use_from <= $as_of OR d.in_use_from IS NULL)
             AND (d.retired = 0 OR d.retired IS NULL OR d.retired_at IS NULL OR d.retired_at > $from)
             AND (d.in_use_from IS NULL OR d.retired = 0 OR d.retired IS NULL OR d.retired_at IS NULL OR d.retired_at > d.in_use_from)) s
),
version AS (
  -- Versions of the configuration of where it lies that touch that time, cut to it.
  SELECT f.id AS id, c.id AS config, c.valid_from AS valid_from, c.encrypted AS encrypted, c.grade AS grade,
         -- A version whose end is unknown may have ended at once.
         CASE WHEN c.valid_from < f.sure_to AND f.sure_from < f.sure_to
               AND (c.valid_to > f.sure_from OR (c.valid_to IS NULL AND c.valid_from >= f.sure_from)) THEN 1 ELSE 0 END AS touches,
         CASE WHEN c.valid_from < f.starts_at THEN f.starts_at ELSE c.valid_from END AS starts_at,
         CASE WHEN c.valid_to > f.ends_at THEN f.ends_at ELSE c.valid_to END AS ends_at
    FROM life f
    JOIN resource_config_history c ON c.resource = f.resource
   WHERE c.valid_from < f.ends_at AND (c.valid_to > f.starts_at OR c.valid_to IS NULL)
),
locked AS (
  SELECT v.id AS id, v.starts_at AS starts_at, v.ends_at AS ends_at,
         max(v.ends_at) OVER (PARTITION BY v.id ORDER BY v.starts_at ASC NULLS FIRST, v.ends_at ASC NULLS FIRST, v.config ASC NULLS FIRST, v.valid_from ASC NULLS FIRST
                              ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS ended_before
    FROM version v
   WHERE v.encrypted = 1 AND v.ends_at IS NOT NULL
),
encrypted AS (
  SELECT h.id AS id,
         CAST(sum(CASE WHEN h.ended_before IS NULL OR h.ended_before <= h.starts_at THEN h.ends_at - h.starts_at
                       WHEN h.ended_before < h.ends_at THEN h.ends_at - h.ended_before
                       ELSE 0 END) AS BIGINT) AS ms
    FROM locked h
   GROUP BY h.id
),
seen AS (
  SELECT v.id AS id, min(v.grade) AS grade, max(CASE WHEN v.encrypted = 0 AND v.touches = 1 THEN 1 ELSE 0 END) AS bare
    FROM version v
   GROUP BY v.id
),
reading AS (
  -- Who could read it while it was in use: as long as it may be (0), and what of that is certain (1).
  SELECT f.id AS id, f.system AS system, r.id AS reader, r.valid_from AS valid_from, r.account AS account, r.grade AS grade, k.sure AS sure,
         CASE WHEN r.valid_from > CASE WHEN k.sure = 1 THEN f.sure_from ELSE f.starts_at END THEN r.valid_from
              WHEN k.sure = 1 THEN f.sure_from ELSE f.starts_at END AS starts_at,
         CASE WHEN k.sure = 1 THEN CASE WHEN r.valid_to < f.sure_to THEN r.valid_to
                                        WHEN r.valid_to IS NULL AND r.valid_from < f.sure_to THEN r.valid_from + 1
                                        ELSE f.sure_to END
              WHEN r.valid_to < f.ends_at THEN r.valid_to ELSE f.ends_at END AS ends_at
    FROM life f
    JOIN store_reader_history r ON r.asset = f.id AND r.valid_from < f.ends_at AND (r.valid_to > f.starts_at OR r.valid_to IS NULL)
    CROSS JOIN (SELECT 0 AS sure UNION ALL SELECT 1 AS sure) k
),
kind AS (
  -- What an account is as far as is known: a person's, a program's, something else; each only where it was nothing else.
  SELECT h.id AS id, min(CASE WHEN h.kind = 'human' OR h.kind = 'guest' THEN 1 ELSE 0 END) AS own,
         min(CASE WHEN h.kind = 'bot' OR h.kind = 'service' THEN 1 ELSE 0 END) AS program,
         max(CASE WHEN h.kind = 'bot' OR h.kind = 'service' THEN 1 ELSE 0 END) AS programs
    FROM account_history h
   GROUP BY h.id
),
holder AS (
  SELECT n.account AS account FROM reading n GROUP BY n.account
),
worked AS (
  -- What the person of an account works as, and while which link holds.
  SELECT o.account AS account, j.job AS job,
         CASE WHEN j.valid_from > p.valid_from THEN j.valid_from ELSE p.valid_from END AS starts_at,
         CASE WHEN j.valid_to IS NULL OR p.valid_to < j.valid_to THEN p.valid_to ELSE j.valid_to END AS ends_at,
         CASE WHEN j.valid_to IS NULL OR j.job IS NULL THEN 1 ELSE 0 END AS unsure
    FROM holder o
    JOIN account_person p ON p.account = o.account
    JOIN account_person q ON q.person = p.person
    JOIN job_history j ON j.account = q.account
),
allowed AS (
  -- Which job may work in a system: for certain from when a person had approved it (1); as far as it may be (0).
  SELECT x.job AS job, x.system AS system, k.sure AS sure,
         CASE WHEN x.approved_at > x.valid_from THEN x.approved_at ELSE x.valid_from END AS starts_at,
         COALESCE(x.valid_to, 253402300799999) AS ends_at
    FROM role_matrix_history x
    LEFT JOIN kind a ON a.id = x.approved_by
    JOIN (SELECT 0 AS sure UNION ALL SELECT 1 AS sure) k
      ON k.sure = 0 OR (a.own = 1 AND x.approved_at IS NOT NULL AND x.valid_to IS NOT NULL)
   WHERE COALESCE(a.program, 0) = 0
),
need AS (
  -- What somebody may read in a system, by how sure that is: 3 by their job, or a program for a purpose; 2 whoever a person has
  -- to judge; 1 nobody can say.
  SELECT w.account AS account, m.system AS system,
         CASE WHEN w.unsure = 1 OR m.sure = 0 THEN 1 WHEN a.own = 1 THEN 3 WHEN COALESCE(a.programs, 0) = 0 THEN 2 ELSE 1 END AS worth,
         CASE WHEN m.starts_at > w.starts_at THEN m.starts_at ELSE w.starts_at END AS starts_at,
         CASE WHEN m.ends_at < w.ends_at THEN m.ends_at ELSE w.ends_at END AS ends_at
    FROM worked w
    JOIN allowed m ON m.job = w.job
    LEFT JOIN kind a ON a.id = w.account
   WHERE COALESCE(a.program, 0) = 0
  UNION ALL
  SELECT w.account AS account, NULL AS system, 1 AS worth, w.starts_at AS starts_at, w.ends_at AS ends_at
    FROM worked w
    LEFT JOIN kind a ON a.id = w.account
   WHERE w.job IS NULL AND COALESCE(a.program, 0) = 0
  UNION ALL
  SELECT o.account AS account, NULL AS system,
         CASE WHEN o.purpose IS NULL OR o.valid_to IS NULL OR a.program = 0 THEN 1 ELSE 3 END AS worth,
         o.valid_from AS starts_at, COALESCE(o.valid_to, 253402300799999) AS ends_at
    FROM account_owner_history o
    JOIN kind a ON a.id = o.account AND a.programs = 1
   WHERE o.purpose <> '' OR o.purpose IS NULL
  UNION ALL
  SELECT o.account AS account, NULL AS system, 2 AS worth, $from AS starts_at, 253402300799999 AS ends_at
    FROM holder o
    LEFT JOIN kind a ON a.id = o.account
    LEFT JOIN account_person p ON p.account = o.account AND p.valid_to > $from AND p.valid_from <= $as_of
   WHERE COALESCE(a.programs, 0) = 0 AND (p.account IS NULL OR a.own = 0)
),
may AS (
  -- Those needs that are about a reading, at each level of certainty.
  SELECT n.id AS id, n.reader AS reader, n.valid_from AS valid_from, n.sure AS sure, l.worth AS level,
         CASE WHEN w.starts_at < n.starts_at THEN n.starts_at ELSE w.starts_at END AS starts_at,
         CASE WHEN w.ends_at > n.ends_at THEN n.ends_at ELSE w.ends_at END AS ends_at
    FROM reading n
    JOIN need w ON w.account = n.account AND (w.system = n.system OR w.system IS NULL OR n.system IS NULL)
    JOIN (SELECT 1 AS worth UNION ALL SELECT 2 AS worth UNION ALL SELECT 3 AS worth) l
      ON l.worth = 1 OR (l.worth <= w.worth AND (w.system = n.system OR w.system IS NULL))
   WHERE w.starts_at < w.ends_at AND w.starts_at < n.ends_at AND w.ends_at > n.starts_at AND n.starts_at < n.ends_at
),
held AS (
  SELECT m.id AS id, m.reader AS reader, m.valid_from AS valid_from, m.sure AS sure, m.level AS level, m.starts_at AS starts_at, m.ends_at AS ends_at,
         max(m.ends_at) OVER (PARTITION BY m.id, m.reader, m.valid_from, m.sure, m.level ORDER BY m.starts_at ASC NULLS FIRST, m.ends_at ASC NULLS FIRST
                              ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS ended_before
    FROM may m
),
needed AS (
  SELECT h.id AS id, h.reader AS reader, h.valid_from AS valid_from, h.sure AS sure, h.level AS level,
         CAST(sum(CASE WHEN h.ended_before IS NULL OR h.ended_before <= h.starts_at THEN h.ends_at - h.starts_at
                       WHEN h.ended_before < h.ends_at THEN h.ends_at - h.ended_before
                       ELSE 0 END) AS BIGINT) AS ms
    FROM held h
   GROUP BY h.id, h.reader, h.valid_from, h.sure, h.level
),
judged AS (
  -- Each reading: 3 in order, 2 a person has to say, 1 nobody can say, 0 without a need.
  SELECT n.id AS id, n.reader AS reader, n.valid_from AS valid_from, min(n.grade) AS grade,
         CASE WHEN max(CASE WHEN n.sure = 0 AND l.level = 3 AND l.ms = n.ends_at - n.starts_at THEN 1 ELSE 0 END) = 1 THEN 3
              WHEN max(CASE WHEN n.sure = 0 AND l.level = 2 AND l.ms = n.ends_at - n.starts_at THEN 1 ELSE 0 END) = 1 THEN 2
              WHEN min(n.system) IS NULL
                   OR max(CASE WHEN n.sure = 1 AND (n.starts_at >= n.ends_at OR (l.level = 1 AND l.ms = n.ends_at - n.starts_at)) THEN 1 ELSE 0 END) = 1 THEN 1
              ELSE 0 END AS worth
    FROM reading n
    LEFT JOIN needed l ON l.id = n.id AND l.reader = n.reader AND l.valid_from = n.valid_from AND l.sure = n.sure
   GROUP BY n.id, n.reader, n.valid_from
),
readers AS (
  SELECT j.id AS id, min(j.grade) AS grade, min(j.worth) AS worth FROM judged j GROUP BY j.id
)
SELECT d.id AS item,
       d.label AS label,
       $from AS occurred_at,
       d.entry AS entry,
       CASE WHEN s.grade < d.grade AND s.grade <= COALESCE(r.grade, s.grade) THEN s.grade
            WHEN r.grade < d.grade THEN r.grade
            ELSE d.grade END AS grade,
       CASE WHEN s.bare = 1 AND d.kind IS NOT NULL THEN 'deviation'
            WHEN COALESCE(s.bare, 0) = 0 AND e.ms = f.ends_at - f.starts_at AND f.sure = 1 THEN 'pass'
            ELSE 'no_evidence' END AS a,
       CASE WHEN COALESCE(r.worth, 3) = 3 AND f.sure = 1 THEN 'pass'
            WHEN r.worth = 2 THEN 'needs_judgement'
            WHEN r.worth = 0 AND d.kind IS NOT NULL THEN 'deviation'
            ELSE 'no_evidence' END AS b
  FROM life f
  JOIN data_asset d ON d.id = f.id
  LEFT JOIN encrypted e ON e.id = f.id
  LEFT JOIN seen s ON s.id = f.id
  LEFT JOIN readers r ON r.id = f.id
