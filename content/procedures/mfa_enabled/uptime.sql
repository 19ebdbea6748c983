WITH granted AS (
  -- Access to an identity provider: while the provider is in use, the account is there, and the grant holds.
  SELECT g.account AS account,
         CASE WHEN g.valid_from < s.valid_from THEN s.valid_from ELSE g.valid_from END AS starts_at,
         CASE WHEN COALESCE(g.valid_to, 253402300799999) > COALESCE(s.valid_to, 253402300799999) THEN s.valid_to
              ELSE g.valid_to END AS ends_at,
         CASE WHEN g.valid_to IS NULL OR s.valid_to IS NULL THEN 1 ELSE 0 END AS unsure
    FROM access_grant_history g
    JOIN system_history s ON s.id = g.system AND s.identity_provider = 1 AND s.in_scope = 1
),
held AS (
  SELECT g.account AS account,
         CASE WHEN g.starts_at < h.valid_from THEN h.valid_from ELSE g.starts_at END AS starts_at,
         CASE WHEN COALESCE(h.valid_to, 253402300799999) > COALESCE(g.ends_at, 253402300799999)
              THEN COALESCE(g.ends_at, 253402300799999) ELSE COALESCE(h.valid_to, 253402300799999) END AS ends_at,
         -- Nobody knows whether access had ended, or whether a person stands behind it.
         CASE WHEN h.valid_to IS NULL OR g.unsure = 1 OR h.kind = 'unknown' THEN 1 ELSE 0 END AS unsure
    FROM granted g
    JOIN account_history h ON h.id = g.account
   WHERE h.kind <> 'service' AND h.kind <> 'bot'
),
required AS (
  SELECT DISTINCT h.account AS account, h.starts_at AS starts_at, h.ends_at AS ends_at, h.unsure AS unsure
    FROM held h
   WHERE h.starts_at < h.ends_at
),
running AS (
  SELECT r.account AS account, r.starts_at AS starts_at,
         max(r.ends_at) OVER (PARTITION BY r.account ORDER BY r.starts_at ASC NULLS FIRST, r.ends_at ASC NULLS FIRST, r.unsure ASC NULLS FIRST
                              ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS ended_before
    FROM required r
),
excluded AS (
  SELECT x.account AS account, x.starts_at AS starts_at, COALESCE(x.ends_at, 253402300799999) AS ends_at
    FROM account_exclusion x
   WHERE x.control = 'IAM-02'
),
found AS (
  -- What was found of each stretch of access.
  SELECT r.account AS account, r.unsure AS unsure, m.enabled AS enabled,
         CASE WHEN m.valid_from < r.starts_at THEN r.starts_at ELSE m.valid_from END AS starts_at,
         -- What ends nobody knows when, and began before, proves nothing of it.
         CASE WHEN m.valid_to IS NULL AND m.valid_from < r.starts_at THEN 1 ELSE 0 END AS vague,
         CASE WHEN m.valid_to IS NULL AND m.valid_from >= r.starts_at THEN NULL
              WHEN COALESCE(m.valid_to, 253402300799999) > r.ends_at THEN r.ends_at
              ELSE m.valid_to END AS ends_at
    FROM required r
    JOIN mfa_history m ON m.account = r.account AND m.valid_from < r.ends_at
     AND (m.valid_to > r.starts_at OR m.valid_to IS NULL)
)
SELECT f.account AS item, f.starts_at AS starts_at, f.ends_at AS ends_at,
       CASE WHEN f.enabled IS NULL OR f.vague = 1 THEN 'no_evidence'
            WHEN f.enabled = 1 THEN 'pass'
            -- Whether the account was rightly left out, the verdicts weigh; here it is not known to be down.
            WHEN f.unsure = 1 OR e.account IS NOT NULL THEN 'no_evidence'
            ELSE 'deviation' END AS verdict
  FROM found f
  LEFT JOIN (SELECT DISTINCT x.account AS account FROM excluded x) e ON e.account = f.account
UNION ALL
-- Where a second factor may not have been needed, silence is not down.
SELECT r.account AS item, r.starts_at AS starts_at, r.ends_at AS ends_at, NULL AS verdict
  FROM required r
 WHERE r.unsure = 1
UNION ALL
SELECT x.account AS item, x.starts_at AS starts_at, x.ends_at AS ends_at, NULL AS verdict
  FROM excluded x
UNION ALL
-- Time without access: before it, between two stretches of it, after it; all time of who needs no second factor.
SELECT g.account AS item, COALESCE(g.ended_before, -62135596800000) AS starts_at, g.starts_at AS ends_at,
       'not_applicable' AS verdict
  FROM running g
 WHERE g.ended_before IS NULL OR g.ended_before < g.starts_at
UNION ALL
SELECT r.account AS item, max(r.ends_at) AS starts_at, 253402300799999 AS ends_at, 'not_applicable' AS verdict
  FROM required r
 GROUP BY r.account
UNION ALL
SELECT h.id AS item, -62135596800000 AS starts_at, 253402300799999 AS ends_at, 'not_applicable' AS verdict
  FROM (SELECT DISTINCT a.id AS id FROM account_history a) h
  LEFT JOIN (SELECT DISTINCT r.account AS account FROM required r) k ON k.account = h.id
 WHERE k.account IS NULL
