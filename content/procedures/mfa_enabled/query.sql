WITH granted AS (
  -- Access to an identity provider: while the provider is in use, the account is there, and the grant holds.
  SELECT g.account AS account, s.label AS label, s.grade AS system_grade, g.grade AS grant_grade,
         CASE WHEN g.valid_from < s.valid_from THEN s.valid_from ELSE g.valid_from END AS starts_at,
         CASE WHEN COALESCE(g.valid_to, 253402300799999) > COALESCE(s.valid_to, 253402300799999) THEN s.valid_to
              ELSE g.valid_to END AS ends_at,
         CASE WHEN g.valid_to IS NULL OR s.valid_to IS NULL THEN 1 ELSE 0 END AS unsure
    FROM access_grant_history g
    JOIN system_history s ON s.id = g.system AND s.identity_provider = 1 AND s.in_scope = 1
),
held AS (
  SELECT g.account AS account, h.kind AS kind, g.label AS label,
         CASE WHEN g.system_grade < g.grant_grade THEN g.system_grade ELSE g.grant_grade END AS grade,
         CASE WHEN g.starts_at < h.valid_from THEN h.valid_from ELSE g.starts_at END AS begun_at,
         CASE WHEN COALESCE(h.valid_to, 253402300799999) > COALESCE(g.ends_at, 253402300799999)
              THEN COALESCE(g.ends_at, 253402300799999) ELSE COALESCE(h.valid_to, 253402300799999) END AS over_at,
         CASE WHEN h.valid_to IS NULL THEN 1 ELSE g.unsure END AS unsure
    FROM granted g
    JOIN account_history h ON h.id = g.account
),
access AS (
  -- What of it lies in the period; each stretch once, however many grants say so.
  SELECT h.account AS account, h.kind AS kind, h.begun_at AS begun_at, h.unsure AS unsure,
         CASE WHEN h.begun_at < $from THEN $from ELSE h.begun_at END AS starts_at,
         CASE WHEN h.over_at > $as_of + 1 THEN $as_of + 1 ELSE h.over_at END AS ends_at,
         min(h.label) AS label, min(h.grade) AS grade
    FROM held h
   WHERE h.begun_at <= $as_of AND h.over_at > $from AND h.over_at > h.begun_at
   GROUP BY h.account, h.kind, h.begun_at, h.unsure, h.over_at
),
required AS (
  SELECT a.account AS account, a.starts_at AS starts_at, a.ends_at AS ends_at, a.begun_at AS begun_at, a.unsure AS unsure
    FROM access a
   WHERE a.kind <> 'service' AND a.kind <> 'bot'
),
excluded AS (
  -- Decisions to leave an account out: 2 good ones, 1 nobody can say, 0 made by whom it is about, or for no reason.
  SELECT x.account AS account, x.id AS exclusion, min(x.grade) AS grade,
         min(CASE WHEN x.approved_at > x.starts_at THEN x.approved_at ELSE x.starts_at END) AS starts_at,
         min(COALESCE(x.ends_at, 253402300799999)) AS ends_at,
         min(CASE WHEN x.reason = '' OR bp.person = op.person OR h.kind = 'bot' OR h.kind = 'service' THEN 0
                  WHEN x.reason IS NULL OR x.approved_at IS NULL OR x.ends_at IS NULL OR bp.person IS NULL
                       OR al.person IS NOT NULL OR h.kind IS NULL OR h.kind <> 'human' THEN 1
                  WHEN op.person IS NULL AND own.shared = 0 THEN 1
                  ELSE 2 END) AS worth
    FROM account_exclusion x
    JOIN (SELECT o.id AS account, min(CASE WHEN o.kind = 'shared' OR o.kind = 'break_glass' THEN 1 ELSE 0 END) AS shared
            FROM account_history o GROUP BY o.id) own ON own.account = x.account
    LEFT JOIN account_history h ON h.id = x.approved_by AND h.valid_from <= x.approved_at AND h.valid_to > x.approved_at
    LEFT JOIN account_person bp ON bp.account = x.approved_by AND bp.valid_from <= x.approved_at AND bp.valid_to > x.approved_at
    LEFT JOIN account_person op ON op.account = x.account AND op.valid_from <= x.approved_at AND op.valid_to > x.approved_at
    LEFT JOIN person_alike al ON al.person = bp.person AND al.other_person = op.person
   WHERE x.control = 'IAM-02'
   GROUP BY x.account, x.id
),
version AS (
  -- What was found of each stretch of access. What ends nobody knows when proves its first instant.
  SELECT r.account AS account, r.starts_at AS needed_from, r.ends_at AS needed_to, r.begun_at AS begun_at, r.unsure AS unsure,
         m.id AS mfa, m.enabled AS enabled, m.grade AS grade, m.valid_from AS valid_from, m.valid_to AS valid_to,
         CASE WHEN m.valid_from < r.starts_at THEN r.starts_at ELSE m.valid_from END AS starts_at,
         CASE WHEN m.valid_to IS NULL AND m.valid_from < r.starts_at THEN r.starts_at
              WHEN m.valid_to IS NULL THEN m.valid_from + 1
              WHEN m.valid_to > r.ends_at THEN r.ends_at
              ELSE m.valid_to END AS ends_at
    FROM required r
    JOIN mfa_history m ON m.account = r.account AND m.valid_from < r.ends_at
     AND (m.valid_to > r.starts_at OR m.valid_to IS NULL)
),
good AS (
  -- The time that is in order: the factor was on (1 and 2 alike), or a good decision left the account out (2 alone).
  SELECT v.account AS account, v.needed_from AS needed_from, v.needed_to AS needed_to, v.starts_at AS starts_at,
         v.ends_at AS ends_at, 1 AS kind
    FROM version v
   WHERE v.enabled = 1 AND v.starts_at < v.ends_at
  UNION ALL
  SELECT r.account AS account, r.starts_at AS needed_from, r.ends_at AS needed_to,
         CASE WHEN x.starts_at < r.starts_at THEN r.starts_at ELSE x.starts_at END AS starts_at,
         CASE WHEN x.ends_at > r.ends_at THEN r.ends_at ELSE x.ends_at END AS ends_at, k.kind AS kind
    FROM required r
    JOIN excluded x ON x.account = r.account AND x.worth = 2 AND x.starts_at < r.ends_at AND x.ends_at > r.starts_at
     AND x.starts_at < x.ends_at
    CROSS JOIN (SELECT 1 AS kind UNION ALL SELECT 2 AS kind) k
),
running AS (
  SELECT g.account AS account, g.kind AS kind, g.starts_at AS starts_at, g.ends_at AS ends_at,
         max(g.ends_at) OVER (PARTITION BY g.account, g.kind, g.needed_from, g.needed_to
                              ORDER BY g.starts_at ASC NULLS FIRST, g.ends_at ASC NULLS FIRST
                              ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS ended_before
    FROM good g
),
proven AS (
  -- Each instant once.
  SELECT r.account AS account,
         CAST(sum(CASE WHEN r.kind <> 1 THEN 0
                       WHEN r.ended_before IS NULL OR r.ended_before <= r.starts_at THEN r.ends_at - r.starts_at
                       WHEN r.ended_before < r.ends_at THEN r.ends_at - r.ended_before ELSE 0 END) AS BIGINT) AS good_ms,
         CAST(sum(CASE WHEN r.kind <> 2 THEN 0
                       WHEN r.ended_before IS NULL OR r.ended_before <= r.starts_at THEN r.ends_at - r.starts_at
                       WHEN r.ended_before < r.ends_at THEN r.ends_at - r.ended_before ELSE 0 END) AS BIGINT) AS excluded_ms
    FROM running r
   GROUP BY r.account
),
needed AS (
  SELECT n.account AS account, CAST(sum(n.ends_at - n.starts_at) AS BIGINT) AS needed_ms,
         max(n.ends_at) - 1 AS last_at, max(n.unsure) AS unsure
    FROM (SELECT DISTINCT r.account AS account, r.starts_at AS starts_at, r.ends_at AS ends_at, r.unsure AS unsure
            FROM required r) n
   GROUP BY n.account
),
found AS (
  SELECT v.account AS account, v.mfa AS mfa, v.needed_from AS needed_from, v.starts_at AS starts_at, min(v.grade) AS grade,
         -- Off within access: 2 for certain, 1 nobody can say, 0 not.
         max(CASE WHEN v.enabled = 1 THEN 0
                  WHEN v.enabled IS NULL THEN 1
                  WHEN v.valid_to IS NULL AND v.valid_from < v.needed_from THEN 1
                  WHEN v.unsure = 0 THEN 2
                  -- Access whose end nobody knows is certain when it begins.
                  WHEN v.needed_from = v.begun_at AND v.valid_from <= v.begun_at THEN 2
                  ELSE 1 END) AS off,
         max(CASE WHEN v.enabled = 1 AND v.valid_to IS NOT NULL THEN 0 ELSE 1 END) AS unclear,
         max(CASE WHEN v.enabled IS NULL THEN 1 ELSE 0 END) AS unknown,
         -- Whether a decision left the account out all that time: 3 a good one, 2 a good one up to nobody knows when,
         -- 1 perhaps one.
         max(CASE WHEN x.worth = 2 AND x.starts_at <= v.starts_at AND x.ends_at >= COALESCE(v.valid_to, v.needed_to)
                       OR x.worth = 2 AND x.starts_at <= v.starts_at AND x.ends_at >= v.needed_to THEN 3
                  WHEN x.worth = 2 AND x.starts_at <= v.starts_at AND x.ends_at > v.starts_at AND v.valid_to IS NULL THEN 2
                  WHEN x.worth = 1 THEN 1 ELSE 0 END) AS excused
    FROM version v
    LEFT JOIN excluded x ON x.account = v.account
   GROUP BY v.account, v.mfa, v.needed_from, v.starts_at
),
seen AS (
  SELECT f.account AS account, min(f.grade) AS grade, max(f.unclear) AS unclear,
         max(CASE WHEN f.excused = 3 THEN 0 ELSE f.unknown END) AS unknown,
         -- 3 found off, 2 unless it was rightly left out, 1 perhaps.
         max(CASE WHEN f.off = 0 OR f.excused = 3 THEN 0 WHEN f.off = 1 OR f.excused = 2 THEN 1
                  WHEN f.excused = 1 THEN 2 ELSE 3 END) AS off
    FROM found f
   GROUP BY f.account
),
last AS (
  -- The last instant of access: 0 off, 1 nobody can say, 2 on; 9 where only single instants before it are known.
  SELECT n.account AS account,
         min(CASE WHEN m.enabled = 1 AND (m.valid_to IS NOT NULL OR m.valid_from = n.last_at) THEN 2
                  WHEN m.enabled = 1 THEN 9
                  WHEN m.enabled = 0 AND (m.valid_to IS NOT NULL OR m.valid_from = n.last_at) THEN 0
                  ELSE 1 END) AS worth
    FROM needed n
    JOIN mfa_history m ON m.account = n.account AND m.valid_from <= n.last_at
     AND (m.valid_to > n.last_at OR m.valid_to IS NULL)
   GROUP BY n.account
),
last_excluded AS (
  SELECT n.account AS account,
         max(CASE WHEN x.worth = 2 AND x.starts_at <= n.last_at AND x.ends_at > n.last_at THEN 2
                  WHEN x.worth = 1 THEN 1 ELSE 0 END) AS worth
    FROM needed n
    JOIN excluded x ON x.account = n.account
   GROUP BY n.account
),
item AS (
  SELECT a.account AS account, min(a.label) AS label, min(a.grade) AS grade,
         -- What stands behind it: 2 a person, 1 perhaps, 0 none.
         max(CASE a.kind WHEN 'service' THEN 0 WHEN 'bot' THEN 0 WHEN 'unknown' THEN 1 ELSE 2 END) AS person
    FROM access a
   GROUP BY a.account
),
said AS (
  SELECT i.account AS account, i.label AS label, i.person AS person,
         CASE WHEN s.grade < i.grade THEN s.grade ELSE i.grade END AS grade,
         CASE WHEN n.account IS NULL OR p.excluded_ms = n.needed_ms OR le.worth = 2 THEN 'not_applicable'
              WHEN l.worth = 2 THEN 'pass'
              WHEN l.worth = 1 OR l.worth = 9 OR n.unsure = 1 THEN 'no_evidence'
              WHEN le.worth = 1 THEN 'needs_judgement'
              ELSE 'deviation' END AS a,
         CASE WHEN n.account IS NULL OR p.excluded_ms = n.needed_ms OR s.account IS NULL THEN 'not_applicable'
              WHEN s.off = 3 THEN 'deviation'
              WHEN s.off = 1 OR s.unknown = 1 THEN 'no_evidence'
              WHEN s.off = 2 THEN 'needs_judgement'
              ELSE 'pass' END AS b,
         CASE WHEN n.account IS NULL OR p.excluded_ms = n.needed_ms THEN 'not_applicable'
              WHEN s.off = 3 THEN 'deviation'
              WHEN s.unknown = 1 OR s.off = 1 THEN 'no_evidence'
              WHEN s.off = 2 THEN 'needs_judgement'
              WHEN p.good_ms = n.needed_ms THEN 'pass'
              WHEN s.unclear = 1 OR n.unsure = 1 THEN 'no_evidence'
              WHEN le.worth = 1 THEN 'needs_judgement'
              ELSE 'deviation' END AS c
    FROM item i
    LEFT JOIN needed n ON n.account = i.account
    LEFT JOIN proven p ON p.account = i.account
    LEFT JOIN seen s ON s.account = i.account
    LEFT JOIN last l ON l.account = i.account
    LEFT JOIN last_excluded le ON le.account = i.account
)
SELECT h.id AS item,
       s.label AS label,
       $from AS occurred_at,
       min(h.entry) AS entry,
       CASE WHEN s.grade < min(h.grade) THEN s.grade ELSE min(h.grade) END AS grade,
       CASE WHEN s.person = 1 AND s.a = 'deviation' THEN 'needs_judgement' ELSE s.a END AS a,
       CASE WHEN s.person = 1 AND s.b = 'deviation' THEN 'needs_judgement' ELSE s.b END AS b,
       CASE WHEN s.person = 1 AND s.c = 'deviation' THEN 'needs_judgement' ELSE s.c END AS c
  FROM account_history h
  JOIN said s ON s.account = h.id
 GROUP BY h.id, s.label, s.grade, s.person, s.a, s.b, s.c
HAVING min(h.in_scope) = 1
