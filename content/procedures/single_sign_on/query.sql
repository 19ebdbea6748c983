WITH span AS (
  -- What lets a person into a system in the period, while the account is there and the grant holds. What ends nobody knows
  -- when may last. An account of the identity provider itself is how others are entered.
  SELECT g.account AS account, h.kind AS kind,
         CASE WHEN h.grade < g.grade THEN h.grade ELSE g.grade END AS grade,
         CASE WHEN h.valid_from > g.valid_from AND h.valid_from > $from THEN h.valid_from
              WHEN g.valid_from > $from THEN g.valid_from ELSE $from END AS starts_at,
         CASE WHEN COALESCE(h.valid_to, 253402300799999) < COALESCE(g.valid_to, 253402300799999)
                   AND COALESCE(h.valid_to, 253402300799999) <= $as_of THEN h.valid_to
              WHEN COALESCE(g.valid_to, 253402300799999) <= $as_of THEN g.valid_to ELSE $as_of + 1 END AS ends_at,
         CASE WHEN g.valid_to IS NULL OR h.valid_to IS NULL THEN 1 ELSE 0 END AS unsure,
         y.label AS label
    FROM access_grant_history g
    JOIN (SELECT s.id AS id, min(s.label) AS label FROM system_history s WHERE s.in_scope = 1 AND s.identity_provider = 0
           GROUP BY s.id) y ON y.id = g.system
    JOIN account_history h ON h.id = g.account AND (h.kind = 'human' OR h.kind = 'guest' OR h.kind = 'shared' OR h.kind = 'unknown')
          AND h.valid_from < COALESCE(g.valid_to, 253402300799999) AND (h.valid_to > g.valid_from OR h.valid_to IS NULL)
    LEFT JOIN (SELECT DISTINCT i.account AS account FROM access_grant_history i
                 JOIN system_history p ON p.id = i.system AND p.identity_provider = 1) own ON own.account = g.account
   WHERE h.valid_from <= $as_of AND g.valid_from <= $as_of AND COALESCE(h.valid_to, 253402300799999) > $from
     AND COALESCE(g.valid_to, 253402300799999) > $from
     AND own.account IS NULL
),
access AS (
  SELECT s.account AS account, s.starts_at AS starts_at, s.ends_at AS ends_at, max(s.unsure) AS unsure
    FROM span s
   GROUP BY s.account, s.starts_at, s.ends_at
),
item AS (
  SELECT s.account AS account, min(s.label) AS label, min(s.grade) AS grade,
         min(CASE s.kind WHEN 'unknown' THEN 0 ELSE 1 END) AS person
    FROM span s
   GROUP BY s.account
),
excluded AS (
  -- Decisions that allow a local way in: 2 good ones, 1 nobody can say, 0 made by whom it is about, for no reason, or for good.
  SELECT x.account AS account, x.id AS exclusion, min(x.grade) AS grade,
         min(CASE WHEN x.approved_at > x.starts_at THEN x.approved_at ELSE x.starts_at END) AS starts_at,
         min(COALESCE(x.ends_at, 253402300799999)) AS ends_at,
         min(CASE WHEN x.reason = '' OR x.ends_at = 253402300799999 OR bp.person = op.person OR h.kind = 'bot' OR h.kind = 'service' THEN 0
                  WHEN x.reason IS NULL OR x.approved_at IS NULL OR x.ends_at IS NULL OR bp.person IS NULL
                       OR al.person IS NOT NULL OR h.kind IS NULL OR h.kind <> 'human' THEN 1
                  WHEN op.person IS NULL AND own.shared = 0 THEN 1
                  ELSE 2 END) AS worth
    FROM account_exclusion x
    JOIN (SELECT o.id AS account, min(CASE WHEN o.kind = 'shared' THEN 1 ELSE 0 END) AS shared
            FROM account_history o GROUP BY o.id) own ON own.account = x.account
    LEFT JOIN account_history h ON h.id = x.approved_by AND h.valid_from <= x.approved_at AND h.valid_to > x.approved_at
    LEFT JOIN account_person bp ON bp.account = x.approved_by AND bp.valid_from <= x.approved_at AND bp.valid_to > x.approved_at
    LEFT JOIN account_person op ON op.account = x.account AND op.valid_from <= x.approved_at AND op.valid_to > x.approved_at
    LEFT JOIN person_alike al ON al.person = bp.person AND al.other_person = op.person
   WHERE x.control = 'IAM-01'
   GROUP BY x.account, x.id
),
version AS (
  -- What was found of each stretch of access. What ends nobody knows when proves its first instant.
  SELECT a.account AS account, a.starts_at AS needed_from, a.ends_at AS needed_to, a.unsure AS unsure,
         v.id AS sign_in, v.way AS way, v.grade AS grade, v.valid_from AS valid_from, v.valid_to AS valid_to,
         CASE WHEN v.valid_from < a.starts_at THEN a.starts_at ELSE v.valid_from END AS starts_at,
         CASE WHEN v.valid_to IS NULL AND v.valid_from < a.starts_at THEN a.starts_at
              WHEN v.valid_to IS NULL THEN v.valid_from + 1
              WHEN v.valid_to > a.ends_at THEN a.ends_at
              ELSE v.valid_to END AS ends_at
    FROM access a
    JOIN sign_in_history v ON v.account = a.account AND v.valid_from < a.ends_at AND (v.valid_to > a.starts_at OR v.valid_to IS NULL)
),
good AS (
  SELECT v.account AS account, v.needed_from AS needed_from, v.needed_to AS needed_to, v.starts_at AS starts_at, v.ends_at AS ends_at
    FROM version v
   WHERE v.way = 'sso' AND v.starts_at < v.ends_at
  UNION ALL
  SELECT a.account AS account, a.starts_at AS needed_from, a.ends_at AS needed_to,
         CASE WHEN x.starts_at < a.starts_at THEN a.starts_at ELSE x.starts_at END AS starts_at,
         CASE WHEN x.ends_at > a.ends_at THEN a.ends_at ELSE x.ends_at END AS ends_at
    FROM access a
    JOIN excluded x ON x.account = a.account AND x.worth = 2 AND x.starts_at < a.ends_at AND x.ends_at > a.starts_at
     AND x.starts_at < x.ends_at
),
proven AS (
  -- Each instant once.
  SELECT r.account AS account,
         CAST(sum(CASE WHEN r.ended_before IS NULL OR r.ended_before <= r.starts_at THEN r.ends_at - r.starts_at
                       WHEN r.ended_before < r.ends_at THEN r.ends_at - r.ended_before ELSE 0 END) AS BIGINT) AS good_ms
    FROM (SELECT g.account AS account, g.starts_at AS starts_at, g.ends_at AS ends_at,
                 max(g.ends_at) OVER (PARTITION BY g.account, g.needed_from, g.needed_to
                                      ORDER BY g.starts_at ASC NULLS FIRST, g.ends_at ASC NULLS FIRST
                                      ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS ended_before
            FROM good g) r
   GROUP BY r.account
),
needed AS (
  SELECT a.account AS account, CAST(sum(a.ends_at - a.starts_at) AS BIGINT) AS needed_ms
    FROM access a
   GROUP BY a.account
),
found AS (
  -- A local way in: 3 that nobody allowed, 2 that perhaps somebody did, 1 perhaps one, 0 none or an allowed one.
  SELECT v.account AS account, v.sign_in AS sign_in, v.needed_from AS needed_from, v.starts_at AS starts_at, min(v.grade) AS grade, min(x.grade) AS exclusion_grade,
         min(CASE WHEN v.way = 'sso' THEN 0
                  WHEN v.way = 'unknown' OR v.valid_to IS NULL AND v.valid_from < v.needed_from THEN 1
                  WHEN v.unsure = 1 AND v.valid_from > v.needed_from THEN 1
                  WHEN x.worth = 2 AND x.starts_at <= v.starts_at AND x.ends_at >= v.ends_at THEN CASE WHEN v.valid_to IS NULL AND x.ends_at < v.needed_to THEN 1 ELSE 0 END
                  WHEN x.worth = 1 THEN 2
                  ELSE 3 END) AS local
    FROM version v
    LEFT JOIN excluded x ON x.account = v.account
   GROUP BY v.account, v.sign_in, v.needed_from, v.starts_at
),
seen AS (
  SELECT f.account AS account, min(f.grade) AS grade, min(f.exclusion_grade) AS exclusion_grade,
         max(CASE f.local WHEN 1 THEN 2 WHEN 2 THEN 1 ELSE f.local END) AS local
    FROM found f
   GROUP BY f.account
)
SELECT h.id AS item,
       'account at ' || i.label AS label,
       $from AS occurred_at,
       min(h.entry) AS entry,
       CASE WHEN s.exclusion_grade < i.grade AND s.exclusion_grade < COALESCE(s.grade, i.grade) THEN s.exclusion_grade
            WHEN s.grade < i.grade THEN s.grade ELSE i.grade END AS grade,
       CASE WHEN s.local IS NULL THEN 'not_applicable'
            WHEN s.local = 3 THEN CASE i.person WHEN 1 THEN 'deviation' ELSE 'needs_judgement' END
            WHEN s.local = 2 THEN 'no_evidence'
            WHEN s.local = 1 THEN 'needs_judgement'
            ELSE 'pass' END AS a,
       CASE WHEN s.local = 3 THEN CASE i.person WHEN 1 THEN 'deviation' ELSE 'needs_judgement' END
            WHEN p.good_ms = n.needed_ms AND COALESCE(s.local, 0) < 2 THEN 'pass'
            WHEN s.local = 1 THEN 'needs_judgement'
            ELSE 'no_evidence' END AS b
  FROM account_history h
  JOIN item i ON i.account = h.id
  JOIN needed n ON n.account = h.id
  LEFT JOIN proven p ON p.account = h.id
  LEFT JOIN seen s ON s.account = h.id
 GROUP BY h.id, i.label, i.grade, i.person, n.needed_ms, p.good_ms, s.grade, s.exclusion_grade, s.local
HAVING min(h.in_scope) = 1
