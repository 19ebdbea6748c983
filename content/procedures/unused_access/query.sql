WITH access AS (
  -- What lets an account into a system: while the account is there and the grant holds. What ends nobody knows when may last.
  SELECT g.account AS account, g.system AS system, h.kind AS kind,
         CASE WHEN h.grade < g.grade THEN h.grade ELSE g.grade END AS grade,
         CASE WHEN h.valid_from > g.valid_from THEN h.valid_from ELSE g.valid_from END AS starts_at,
         CASE WHEN COALESCE(h.valid_to, 253402300799999) < COALESCE(g.valid_to, 253402300799999) THEN h.valid_to
              ELSE COALESCE(g.valid_to, 253402300799999) END AS ends_at,
         CASE WHEN g.valid_to IS NULL OR h.valid_to IS NULL THEN 1 ELSE 0 END AS unsure
    FROM access_grant_history g
    JOIN (SELECT s.id AS id FROM system_history s WHERE s.in_scope = 1 GROUP BY s.id) y ON y.id = g.system
    JOIN account_history h ON h.id = g.account AND h.valid_from < COALESCE(g.valid_to, 253402300799999)
          AND (h.valid_to > g.valid_from OR h.valid_to IS NULL)
),
marked AS (
  -- Each stretch says whether access had ended before it.
  SELECT a.account AS account, a.starts_at AS starts_at, a.ends_at AS ends_at, a.unsure AS unsure,
         row_number() OVER (PARTITION BY a.account ORDER BY a.starts_at ASC NULLS FIRST, a.ends_at ASC NULLS FIRST,
                            a.unsure ASC NULLS FIRST, a.system ASC NULLS FIRST) AS place,
         max(a.ends_at) OVER (PARTITION BY a.account ORDER BY a.starts_at ASC NULLS FIRST, a.ends_at ASC NULLS FIRST,
                              a.unsure ASC NULLS FIRST, a.system ASC NULLS FIRST
                              ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS ended_before
    FROM access a
   WHERE a.starts_at <= $as_of
),
numbered AS (
  SELECT m.account AS account, m.starts_at AS starts_at, m.ends_at AS ends_at, m.unsure AS unsure,
         CAST(sum(CASE WHEN m.ended_before >= m.starts_at THEN 0 ELSE 1 END)
              OVER (PARTITION BY m.account ORDER BY m.place ASC NULLS FIRST ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW) AS BIGINT) AS island
    FROM marked m
),
island AS (
  -- Access without a break.
  SELECT n.account AS account, n.island AS island, min(n.starts_at) AS starts_at, max(n.ends_at) AS ends_at, max(n.unsure) AS unsure
    FROM numbered n
   GROUP BY n.account, n.island
),
used AS (
  SELECT u.account AS account, u.used_at AS used_at, u.grade AS grade FROM account_use u WHERE u.used_at <= $as_of
  UNION ALL
  SELECT c.account AS account, c.last_used_at AS used_at, c.grade AS grade
    FROM credential c WHERE c.last_used_at <= $as_of AND c.last_used_at > c.created_at
  UNION ALL
  SELECT g.account AS account, g.last_used_at AS used_at, g.grade AS grade
    FROM access_grant_history g WHERE g.last_used_at <= $as_of AND g.last_used_at > g.valid_from
),
mark AS (
  -- From when nothing is known of it: when access began, and each use.
  SELECT i.account AS account, i.island AS island, i.ends_at AS ends_at, i.unsure AS unsure, i.starts_at AS marked_at
    FROM island i
  UNION
  SELECT i.account AS account, i.island AS island, i.ends_at AS ends_at, i.unsure AS unsure, u.used_at AS marked_at
    FROM island i
    JOIN used u ON u.account = i.account AND u.used_at >= i.starts_at AND u.used_at < i.ends_at
),
silence AS (
  SELECT m.account AS account, m.unsure AS unsure, m.marked_at AS marked_at,
         COALESCE(lead(m.marked_at) OVER (PARTITION BY m.account, m.island ORDER BY m.marked_at ASC NULLS FIRST), m.ends_at) AS until_at,
         CASE WHEN lead(m.marked_at) OVER (PARTITION BY m.account, m.island ORDER BY m.marked_at ASC NULLS FIRST) IS NULL THEN 1 ELSE 0 END AS last
    FROM mark m
),
idle AS (
  -- Left open without a use in the period: 2 for certain, 1 unless it had ended, 0 not.
  SELECT s.account AS account,
         max(CASE WHEN s.until_at - s.marked_at <= $days * CAST(86400000 AS BIGINT) OR s.until_at <= $from
                       OR s.marked_at + $days * CAST(86400000 AS BIGINT) > $as_of THEN 0
                  WHEN s.unsure = 1 AND s.last = 1 THEN 1
                  ELSE 2 END) AS idle
    FROM silence s
   GROUP BY s.account
),
token AS (
  SELECT c.account AS account, c.grade AS grade,
         CASE WHEN c.last_used_at > COALESCE(c.created_at, 0) THEN c.last_used_at
              WHEN c.last_used_at IS NULL THEN NULL ELSE c.created_at END AS used_at,
         c.created_at AS created_at,
         CASE WHEN COALESCE(c.expires_at, 253402300799999) < COALESCE(c.revoked_at, 253402300799999) THEN c.expires_at
              ELSE COALESCE(c.revoked_at, 253402300799999) END AS ends_at,
         CASE WHEN c.expires_at IS NULL OR c.revoked_at IS NULL THEN 1 ELSE 0 END AS unsure
    FROM credential c
   WHERE c.kind <> 'password' AND (c.created_at <= $as_of OR c.created_at IS NULL)
),
tokens AS (
  SELECT t.account AS account, min(t.grade) AS grade,
         max(CASE WHEN t.ends_at <= $from THEN -1
                  WHEN t.created_at + $days * CAST(86400000 AS BIGINT) > $as_of THEN 0
                  WHEN t.ends_at - t.created_at <= $days * CAST(86400000 AS BIGINT) THEN 0
                  WHEN t.used_at + $days * CAST(86400000 AS BIGINT) > $as_of THEN 0
                  WHEN t.ends_at - t.used_at <= $days * CAST(86400000 AS BIGINT) THEN 0
                  WHEN t.used_at IS NULL OR t.unsure = 1 THEN 1
                  ELSE 2 END) AS idle
    FROM token t
   GROUP BY t.account
),
item AS (
  SELECT a.account AS account, min(a.grade) AS grade, min(a.starts_at) AS begun_at,
         max(CASE WHEN a.kind = 'break_glass' THEN 0 ELSE 1 END) AS everyday,
         min(COALESCE((SELECT min(s.label) FROM system_history s WHERE s.id = a.system), 'a system')) AS label
    FROM access a
   WHERE a.starts_at <= $as_of AND a.ends_at > $from AND a.ends_at > a.starts_at
   GROUP BY a.account
),
seen AS (
  SELECT u.account AS account, min(u.grade) AS grade FROM used u GROUP BY u.account
)
SELECT h.id AS item,
       'account at ' || i.label AS label,
       $from AS occurred_at,
       min(h.entry) AS entry,
       CASE WHEN t.grade < i.grade AND t.grade < COALESCE(u.grade, i.grade) THEN t.grade
            WHEN u.grade < i.grade THEN u.grade
            ELSE i.grade END AS grade,
       CASE WHEN i.everyday = 0 THEN 'not_applicable'
            WHEN d.idle = 2 THEN 'deviation' WHEN d.idle = 1 THEN 'no_evidence' WHEN d.idle = 0 THEN 'pass' END AS a,
       CASE WHEN i.everyday = 0 OR t.idle IS NULL OR t.idle = -1 THEN 'not_applicable'
            WHEN t.idle = 2 THEN 'deviation' WHEN t.idle = 1 THEN 'no_evidence' ELSE 'pass' END AS b,
       CASE WHEN i.begun_at < $from - $days * CAST(86400000 AS BIGINT) THEN $from - $days * CAST(86400000 AS BIGINT)
            WHEN i.begun_at < $from THEN i.begun_at ELSE $from END AS a_since,
       $from AS b_since
  FROM account_history h
  JOIN item i ON i.account = h.id
  LEFT JOIN idle d ON d.account = h.id
  LEFT JOIN tokens t ON t.account = h.id
  LEFT JOIN seen u ON u.account = h.id
 GROUP BY h.id, i.label, i.grade, i.begun_at, i.everyday, d.idle, t.idle, t.grade, u.grade
HAVING min(h.in_scope) = 1
