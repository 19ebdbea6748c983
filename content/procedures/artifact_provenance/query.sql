WITH shipped AS (
  SELECT d.id AS id, d.label AS label, d.artifact AS artifact, d.deployed_at AS shipped_at, d.entry AS entry, d.grade AS grade,
         CASE WHEN d.production IS NULL OR d.artifact IS NULL THEN 0 ELSE 1 END AS told
    FROM deployment d
   WHERE d.deployed_at >= $from AND d.deployed_at < $to AND d.in_scope = 1 AND (d.production = 1 OR d.production IS NULL)
  UNION ALL
  SELECT r.id AS id, r.label AS label, r.artifact AS artifact, r.released_at AS shipped_at, r.entry AS entry, r.grade AS grade,
         CASE WHEN r.artifact IS NULL THEN 0 ELSE 1 END AS told
    FROM release r
   WHERE r.released_at >= $from AND r.released_at < $to AND r.in_scope = 1
),
checked AS (
  -- 2 verified in time, of a signer who is trusted, 1 nobody can say, 0 not.
  SELECT s.id AS item, s.shipped_at AS shipped_at, t.id AS attestation, t.artifact AS artifact, t.kind AS kind, t.verified_at AS verified_at,
         t.grade AS grade,
         CASE WHEN t.verified_at > s.shipped_at OR t.result = 'failed' OR t.signer_trusted = 0 THEN 0
              WHEN t.verified_at <= s.shipped_at AND t.result = 'verified' AND t.signer_trusted = 1 THEN 2
              ELSE 1 END AS worth
    FROM shipped s
    JOIN attestation t ON t.artifact = s.artifact
   WHERE t.kind <> 'other'
),
undone AS (
  -- Whether a check failed since, and before it went out: 2 yes, 1 nobody can say, 0 no.
  SELECT c.item AS item, c.attestation AS attestation,
         max(CASE WHEN f.result = 'verified' OR f.verified_at > c.shipped_at OR f.verified_at < c.verified_at THEN 0
                  WHEN f.result = 'failed' AND f.verified_at >= c.verified_at AND f.verified_at <= c.shipped_at THEN 2
                  ELSE 1 END) AS worth
    FROM checked c
    JOIN attestation f ON f.artifact = c.artifact AND f.kind = c.kind
   GROUP BY c.item, c.attestation
),
stands AS (
  SELECT c.item AS item, c.kind AS kind, c.verified_at AS verified_at, c.grade AS grade,
         CASE WHEN u.worth = 2 THEN 0 WHEN u.worth = 1 AND c.worth = 2 THEN 1 ELSE c.worth END AS worth
    FROM checked c
    JOIN undone u ON u.item = c.item AND u.attestation = c.attestation
),
found AS (
  SELECT s.item AS item, min(s.grade) AS grade,
         max(CASE WHEN s.kind = 'signature' THEN s.worth END) AS signed,
         max(CASE WHEN s.kind = 'provenance' THEN s.worth END) AS stated,
         max(CASE WHEN s.kind = 'signature' AND s.worth = 2 THEN s.verified_at END) AS signed_at,
         max(CASE WHEN s.kind = 'provenance' AND s.worth = 2 THEN s.verified_at END) AS stated_at
    FROM stands s
   GROUP BY s.item
)
SELECT s.id AS item,
       s.label AS label,
       s.shipped_at AS occurred_at,
       s.entry AS entry,
       CASE WHEN f.grade < s.grade THEN f.grade ELSE s.grade END AS grade,
       CASE WHEN s.told = 0 THEN 'no_evidence' WHEN f.signed = 2 THEN 'pass' WHEN f.signed = 1 THEN 'no_evidence' ELSE 'deviation' END AS a,
       CASE WHEN s.told = 0 THEN 'no_evidence' WHEN f.stated = 2 THEN 'pass' WHEN f.stated = 1 THEN 'no_evidence' ELSE 'deviation' END AS b,
       -- What verified it is known; what undid that, or did it where nothing is known, lies between.
       COALESCE(f.signed_at, s.shipped_at - CAST($days_back AS BIGINT) * 86400000) AS a_since,
       COALESCE(f.stated_at, s.shipped_at - CAST($days_back AS BIGINT) * 86400000) AS b_since
  FROM shipped s
  LEFT JOIN found f ON f.item = s.id
