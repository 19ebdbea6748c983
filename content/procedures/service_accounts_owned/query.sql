WITH span AS (
  -- What lets a machine into a system in the period: while the account is there and the grant holds. What ends nobody knows
  -- when may last.
  SELECT g.account AS account,
         CASE WHEN h.valid_from > g.valid_from AND h.valid_from > $from THEN h.valid_from
              WHEN g.valid_from > $from THEN g.valid_from ELSE $from END AS starts_at,
         CASE WHEN COALESCE(h.valid_to, 253402300799999) < COALESCE(g.valid_to, 253402300799999)
                   AND COALESCE(h.valid_to, 253402300799999) <= $as_of THEN h.valid_to
              WHEN COALESCE(g.valid_to, 253402300799999) <= $as_of THEN g.valid_to ELSE $as_of + 1 END AS ends_at,
         CASE WHEN g.valid_to IS NULL OR h.valid_to IS NULL THEN 1 ELSE 0 END AS unsure
    FROM access_grant_history g
    JOIN (SELECT s.id AS id FROM system_history s WHERE s.in_scope = 1 GROUP BY s.id) y ON y.id = g.system
    JOIN account_history h ON h.id = g.account AND (h.kind = 'service' OR h.kind = 'bot')
          AND h.valid_from < COALESCE(g.valid_to, 253402300799999) AND (h.valid_to > g.valid_from OR h.valid_to IS NULL)
   WHERE h.valid_from <= $as_of AND g.valid_from <= $as_of AND COALESCE(h.valid_to, 253402300799999) > $from
     AND COALESCE(g.valid_to, 253402300799999) > $from
),
access AS (
  SELECT s.account AS account, s.starts_at AS starts_at, s.ends_at AS ends_at, max(s.unsure) AS unsure
    FROM span s
   GROUP BY s.account, s.starts_at, s.ends_at
),
needed AS (
  -- How long it is to be answered for, stretch by stretch.
  SELECT a.account AS account, CAST(sum(a.ends_at - a.starts_at) AS BIGINT) AS ms, max(a.ends_at) AS ends_at, max(a.unsure) AS unsure
    FROM access a
   GROUP BY a.account
),
answered AS (
  -- When somebody who works here answers for it: for certain (1), and as far as it may be (0).
  SELECT o.account AS account, k.certain AS certain,
         CASE WHEN k.certain = 1 THEN CASE WHEN e.started_at > o.valid_from THEN e.started_at WHEN e.started_at IS NOT NULL THEN o.valid_from END
              WHEN e.started_at > o.valid_from THEN e.started_at ELSE o.valid_from END AS starts_at,
         CASE WHEN k.certain = 1 THEN CASE WHEN e.ended_at < o.valid_to THEN e.ended_at WHEN e.ended_at IS NOT NULL THEN o.valid_to END
              WHEN COALESCE(e.ended_at, 253402300799999) < COALESCE(o.valid_to, 253402300799999) THEN e.ended_at
              ELSE COALESCE(o.valid_to, 253402300799999) END AS ends_at
    FROM account_owner_history o
    JOIN account_person p ON p.account = o.owner AND p.valid_from <= o.valid_from AND p.valid_to > o.valid_from
    JOIN account_person q ON q.person = p.person
    JOIN employment e ON e.account = q.account
    CROSS JOIN (SELECT 1 AS certain UNION ALL SELECT 0 AS certain) k
  UNION ALL
  -- Whom nobody can tell, or of whom nobody can say who they are, may work here.
  SELECT o.account AS account, 0 AS certain, o.valid_from AS starts_at, COALESCE(o.valid_to, 253402300799999) AS ends_at
    FROM account_owner_history o
    LEFT JOIN account_person p ON p.account = o.owner AND p.valid_from <= o.valid_from AND p.valid_to > o.valid_from
   WHERE p.account IS NULL
),
cut AS (
  SELECT a.account AS account, a.certain AS certain, n.starts_at AS needed_from, n.ends_at AS needed_to,
         CASE WHEN a.starts_at < n.starts_at THEN n.starts_at ELSE a.starts_at END AS starts_at,
         CASE WHEN a.ends_at > n.ends_at THEN n.ends_at ELSE a.ends_at END AS ends_at
    FROM answered a
    JOIN access n ON n.account = a.account
   WHERE a.starts_at < n.ends_at AND a.ends_at > n.starts_at AND a.starts_at < a.ends_at
),
held AS (
  SELECT c.account AS account, c.certain AS certain, c.starts_at AS starts_at, c.ends_at AS ends_at,
         max(c.ends_at) OVER (PARTITION BY c.account, c.certain, c.needed_from, c.needed_to ORDER BY c.starts_at ASC NULLS FIRST, c.ends_at ASC NULLS FIRST
                              ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS ended_before
    FROM cut c
),
owned AS (
  SELECT h.account AS account,
         CAST(sum(CASE WHEN h.certain = 1 THEN h.ms ELSE 0 END) AS BIGINT) AS sure_ms,
         CAST(sum(CASE WHEN h.certain = 0 THEN h.ms ELSE 0 END) AS BIGINT) AS perhaps_ms
    FROM (SELECT x.account AS account, x.certain AS certain,
                 CASE WHEN x.ended_before IS NULL OR x.ended_before <= x.starts_at THEN x.ends_at - x.starts_at
                      WHEN x.ended_before < x.ends_at THEN x.ends_at - x.ended_before
                      ELSE 0 END AS ms
            FROM held x) h
   GROUP BY h.account
),
purpose AS (
  -- What is said at the last instant: 2 something, 1 nobody can say, 0 nothing.
  SELECT n.account AS account, min(o.grade) AS grade,
         max(CASE WHEN o.purpose = '' THEN 0 WHEN o.purpose IS NULL OR o.valid_to IS NULL THEN 1 ELSE 2 END) AS worth
    FROM needed n
    JOIN account_owner_history o ON o.account = n.account AND o.valid_from < n.ends_at
          AND (o.valid_to >= n.ends_at OR o.valid_to IS NULL)
   GROUP BY n.account
),
aged AS (
  -- The oldest of its keys in the period: 2 too old, 1 nobody can say, 0 young enough, -1 of another time.
  SELECT n.account AS account, min(c.grade) AS grade,
         max(CASE WHEN c.expires_at <= $from OR c.revoked_at <= $from OR c.created_at > $as_of THEN -1
                  WHEN c.created_at + $days * CAST(86400000 AS BIGINT) > $as_of
                       OR c.expires_at - c.created_at <= $days * CAST(86400000 AS BIGINT)
                       OR c.revoked_at - c.created_at <= $days * CAST(86400000 AS BIGINT) THEN 0
                  WHEN c.created_at IS NULL OR c.expires_at IS NULL OR c.revoked_at IS NULL THEN 1
                  ELSE 2 END) AS worth
    FROM needed n
    JOIN credential c ON c.account = n.account AND c.kind <> 'session'
   GROUP BY n.account
),
item AS (
  SELECT g.account AS account, min(CASE WHEN h.grade < g.grade THEN h.grade ELSE g.grade END) AS grade,
         min(COALESCE((SELECT min(s.label) FROM system_history s WHERE s.id = g.system), 'a system')) AS label
    FROM access_grant_history g
    JOIN account_history h ON h.id = g.account
   GROUP BY g.account
)
SELECT h.id AS item,
       'service account at ' || i.label AS label,
       $from AS occurred_at,
       min(h.entry) AS entry,
       CASE WHEN k.grade < i.grade AND k.grade < COALESCE(p.grade, i.grade) THEN k.grade
            WHEN p.grade < i.grade THEN p.grade
            ELSE i.grade END AS grade,
       CASE WHEN w.sure_ms = n.ms THEN 'pass'
            WHEN w.perhaps_ms = n.ms OR n.unsure = 1 THEN 'no_evidence'
            ELSE 'deviation' END AS a,
       CASE WHEN p.worth = 2 THEN 'pass'
            WHEN p.worth = 1 OR n.unsure = 1 THEN 'no_evidence'
            ELSE 'deviation' END AS b,
       CASE WHEN k.worth = 2 THEN 'deviation'
            WHEN k.worth = 1 THEN 'no_evidence'
            WHEN k.worth = 0 THEN 'pass'
            ELSE 'not_applicable' END AS c
  FROM account_history h
  JOIN needed n ON n.account = h.id
  JOIN item i ON i.account = h.id
  LEFT JOIN owned w ON w.account = h.id
  LEFT JOIN purpose p ON p.account = h.id
  LEFT JOIN aged k ON k.account = h.id
 GROUP BY h.id, i.label, i.grade, n.ms, n.ends_at, n.unsure, w.sure_ms, w.perhaps_ms, p.worth, p.grade, k.worth, k.grade
HAVING min(h.in_scope) = 1
