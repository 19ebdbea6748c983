WITH version AS (
  -- Each version with the part of the period in which it was in force; what ends nobody knows when may last.
  SELECT v.id AS id, v.policy AS policy, v.label AS label, v.author AS author, v.approved_by AS approved_by, v.approved_at AS approved_at,
         v.published_at AS published_at, v.valid_from AS valid_from, v.entry AS entry, v.grade AS grade,
         CASE WHEN v.valid_from < $from THEN $from ELSE v.valid_from END AS needed_from,
         CASE WHEN COALESCE(v.valid_to, 253402300799999) <= $as_of THEN v.valid_to ELSE $as_of + 1 END AS needed_to,
         CASE WHEN v.valid_to IS NULL THEN 1 ELSE 0 END AS unsure
    FROM policy_version_history v
   WHERE v.in_scope = 1 AND v.valid_from <= $as_of AND COALESCE(v.valid_to, 253402300799999) > $from
     AND COALESCE(v.valid_to, 253402300799999) > v.valid_from
),
approver AS (
  -- 3 somebody else, 2 a person has to say, 0 the author, or no person.
  SELECT v.id AS id, v.valid_from AS valid_from,
         min(CASE WHEN h.kind = 'bot' OR h.kind = 'service' OR v.approved_by = v.author OR ap.person = wp.person THEN 0
                  WHEN ap.person IS NULL OR wp.person IS NULL OR h.kind IS NULL OR h.kind <> 'human' OR al.person IS NOT NULL THEN 2
                  ELSE 3 END) AS worth
    FROM version v
    LEFT JOIN account_history h ON h.id = v.approved_by AND h.valid_from <= v.approved_at AND h.valid_to > v.approved_at
    LEFT JOIN account_person ap ON ap.account = v.approved_by AND ap.valid_from <= v.approved_at AND ap.valid_to > v.approved_at
    LEFT JOIN account_person wp ON wp.account = v.author AND wp.valid_from <= v.approved_at AND wp.valid_to > v.approved_at
    LEFT JOIN person_alike al ON al.person = ap.person AND al.other_person = wp.person
   GROUP BY v.id, v.valid_from
),
look AS (
  -- When the policy was looked through: its versions' approvals, and reviews by a person (2), or by nobody knows whom (1).
  SELECT v.policy AS policy, v.approved_at AS looked_at,
         min(CASE WHEN h.kind = 'bot' OR h.kind = 'service' THEN 0
                  WHEN v.approved_at IS NULL OR p.person IS NULL OR h.kind IS NULL OR h.kind <> 'human' THEN 1
                  ELSE 2 END) AS worth, v.grade AS grade
    FROM policy_version_history v
    LEFT JOIN account_history h ON h.id = v.approved_by AND h.valid_from <= v.approved_at AND h.valid_to > v.approved_at
    LEFT JOIN account_person p ON p.account = v.approved_by AND p.valid_from <= v.approved_at AND p.valid_to > v.approved_at
   WHERE v.approved_by IS NOT NULL OR v.approved_at IS NOT NULL
   GROUP BY v.id, v.valid_from, v.policy, v.approved_at, v.grade
  UNION ALL
  SELECT r.policy AS policy, r.reviewed_at AS looked_at,
         min(CASE WHEN h.kind = 'bot' OR h.kind = 'service' THEN 0
                  WHEN r.reviewed_at IS NULL OR p.person IS NULL OR h.kind IS NULL OR h.kind <> 'human' THEN 1
                  ELSE 2 END) AS worth, r.grade AS grade
    FROM policy_review r
    LEFT JOIN account_history h ON h.id = r.reviewed_by AND h.valid_from <= r.reviewed_at AND h.valid_to > r.reviewed_at
    LEFT JOIN account_person p ON p.account = r.reviewed_by AND p.valid_from <= r.reviewed_at AND p.valid_to > r.reviewed_at
   GROUP BY r.id, r.policy, r.reviewed_at, r.grade
),
fresh AS (
  -- The time for which a look counts: for certain (2), and as far as it may (1).
  SELECT v.id AS id, v.valid_from AS valid_from, k.worth AS level,
         CASE WHEN COALESCE(l.looked_at, 0) < v.needed_from THEN v.needed_from ELSE l.looked_at END AS starts_at,
         CASE WHEN COALESCE(l.looked_at + $days * CAST(86400000 AS BIGINT) + 1, 253402300799999) > v.needed_to THEN v.needed_to
              ELSE l.looked_at + $days * CAST(86400000 AS BIGINT) + 1 END AS ends_at
    FROM version v
    JOIN look l ON l.policy = v.policy AND (l.looked_at < v.needed_to AND l.looked_at + $days * CAST(86400000 AS BIGINT) >= v.needed_from
                                           OR l.looked_at IS NULL)
    JOIN (SELECT 1 AS worth UNION ALL SELECT 2 AS worth) k ON k.worth <= l.worth
),
spent AS (
  SELECT f.id AS id, f.valid_from AS valid_from,
         CAST(sum(CASE WHEN f.level = 2 THEN f.ms ELSE 0 END) AS BIGINT) AS sure_ms,
         CAST(sum(CASE WHEN f.level = 1 THEN f.ms ELSE 0 END) AS BIGINT) AS perhaps_ms
    FROM (SELECT r.id AS id, r.valid_from AS valid_from, r.level AS level,
                 CASE WHEN r.ended_before IS NULL OR r.ended_before <= r.starts_at THEN r.ends_at - r.starts_at
                      WHEN r.ended_before < r.ends_at THEN r.ends_at - r.ended_before ELSE 0 END AS ms
            FROM (SELECT s.id AS id, s.valid_from AS valid_from, s.level AS level, s.starts_at AS starts_at, s.ends_at AS ends_at,
                         max(s.ends_at) OVER (PARTITION BY s.id, s.valid_from, s.level ORDER BY s.starts_at ASC NULLS FIRST, s.ends_at ASC NULLS FIRST
                                              ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS ended_before
                    FROM fresh s) r) f
   GROUP BY f.id, f.valid_from
),
graded AS (
  SELECT l.policy AS policy, min(l.grade) AS grade FROM look l GROUP BY l.policy
),
said AS (
  SELECT v.id AS id, v.label AS label, v.entry AS entry,
         CASE WHEN g.grade < v.grade THEN g.grade ELSE v.grade END AS grade,
         -- What ended nobody knows when may have been none of the period's.
         CASE WHEN v.approved_at > v.valid_from OR v.approved_by IS NULL AND v.approved_at IS NULL THEN 0
              WHEN v.approved_at IS NULL OR v.unsure = 1 THEN 1
              ELSE a.worth END AS a,
         CASE WHEN v.published_at > v.valid_from THEN 0 WHEN v.published_at IS NULL OR v.unsure = 1 THEN 1 ELSE 3 END AS b,
         CASE WHEN v.unsure = 1 THEN 1
              WHEN s.sure_ms = v.needed_to - v.needed_from THEN 3
              WHEN s.perhaps_ms = v.needed_to - v.needed_from THEN 2
              ELSE 0 END AS c
    FROM version v
    LEFT JOIN approver a ON a.id = v.id AND a.valid_from = v.valid_from
    LEFT JOIN spent s ON s.id = v.id AND s.valid_from = v.valid_from
    LEFT JOIN graded g ON g.policy = v.policy
)
SELECT s.id AS item,
       min(s.label) AS label,
       $from AS occurred_at,
       min(s.entry) AS entry,
       min(s.grade) AS grade,
       CASE min(s.a) WHEN 3 THEN 'pass' WHEN 2 THEN 'needs_judgement' WHEN 1 THEN 'no_evidence' ELSE 'deviation' END AS a,
       CASE min(s.b) WHEN 3 THEN 'pass' WHEN 1 THEN 'no_evidence' ELSE 'deviation' END AS b,
       CASE min(s.c) WHEN 3 THEN 'pass' WHEN 2 THEN 'needs_judgement' WHEN 1 THEN 'no_evidence' ELSE 'deviation' END AS c,
       $from AS a_since,
       $from AS b_since,
       $from - $days * CAST(86400000 AS BIGINT) AS c_since
  FROM said s
 GROUP BY s.id
