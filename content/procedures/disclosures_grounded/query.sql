WITH agreed AS (
  -- Whether the contract that it names held when the data went, bound whom they went to, and covered personal data: 3 it did, 1 nobody can say, 0 not.
  SELECT x.id AS id, k.grade AS grade,
         CASE WHEN k.vendor <> x.recipient OR k.signed_at > x.disclosed_at OR k.ends_at <= x.disclosed_at OR k.dpa = 0 THEN 0
              WHEN k.vendor = x.recipient AND k.signed_at <= x.disclosed_at AND k.ends_at > x.disclosed_at AND k.dpa = 1 THEN 3
              ELSE 1 END AS worth
    FROM disclosure x
    JOIN vendor_contract k ON k.id = x.contract
),
willing AS (
  -- Whether the consent that it names had been given, and not been taken back, when the data went.
  SELECT x.id AS id, y.grade AS grade,
         CASE WHEN y.given_at > x.disclosed_at OR y.withdrawn_at <= x.disclosed_at THEN 0
              WHEN y.withdrawn_at > x.disclosed_at THEN 3
              ELSE 1 END AS worth
    FROM disclosure x
    JOIN consent y ON y.id = x.consent
),
decided AS (
  -- Who decided on it: 2 a person, 1 nobody can say, 0 a machine.
  SELECT x.id AS id, min(CASE WHEN h.kind = 'bot' OR h.kind = 'service' THEN 0 WHEN h.kind = 'human' THEN 2 ELSE 1 END) AS person
    FROM disclosure x
    LEFT JOIN account_history h ON h.id = x.decided_by AND h.valid_from <= x.decided_at AND h.valid_to > x.decided_at
   GROUP BY x.id
),
judged AS (
  SELECT x.id AS id,
         -- The register may have no such column: silence about a ground, or which one, is unknown.
         CASE x.ground
              WHEN 'none' THEN 0
              WHEN 'consent' THEN CASE WHEN x.consent IS NULL THEN 1 ELSE COALESCE(y.worth, 0) END
              WHEN 'contract' THEN CASE WHEN x.contract IS NULL THEN 1 ELSE COALESCE(k.worth, 0) END
              WHEN 'law' THEN CASE WHEN x.law = 'none' THEN 0 WHEN x.law IS NULL THEN 1 ELSE 3 END
              ELSE 1 END AS worth,
         CASE x.ground WHEN 'consent' THEN y.grade WHEN 'contract' THEN k.grade END AS grade
    FROM disclosure x
    LEFT JOIN willing y ON y.id = x.id
    LEFT JOIN agreed k ON k.id = x.id
)
SELECT x.id AS item,
       x.label AS label,
       x.disclosed_at AS occurred_at,
       x.entry AS entry,
       CASE WHEN j.grade < x.grade THEN j.grade ELSE x.grade END AS grade,
       CASE j.worth WHEN 3 THEN 'pass' WHEN 0 THEN 'deviation' ELSE 'no_evidence' END AS a,
       CASE WHEN x.ground <> 'law' THEN 'not_applicable'
            WHEN x.decided_at <= x.disclosed_at AND d.person = 2 THEN 'pass'
            WHEN x.ground IS NULL THEN 'no_evidence'
            WHEN x.decided_at > x.disclosed_at OR d.person = 0 THEN 'deviation'
            WHEN x.decided_at IS NULL THEN 'no_evidence'
            ELSE 'needs_judgement' END AS b,
       CASE WHEN x.recorded_at > x.disclosed_at + CAST($record_days AS BIGINT) * 86400000 AND x.disclosed_at + CAST($record_days AS BIGINT) * 86400000 <= $cutoff THEN 'deviation'
            WHEN x.recorded_at > $cutoff THEN 'not_yet_due'
            WHEN x.recorded_at IS NULL OR x.recipient IS NULL THEN 'no_evidence'
            ELSE 'pass' END AS c
  FROM disclosure x
  JOIN decided d ON d.id = x.id
  JOIN judged j ON j.id = x.id
 WHERE x.disclosed_at >= $from AND x.disclosed_at < $to AND x.in_scope = 1
