WITH held AS (
  -- When a privileged grant lets somebody in: while it holds and the account is there. What ends nobody knows when may last.
  SELECT g.id AS id, g.account AS account, g.system AS system, g.role AS role, g.privileged AS privileged, h.kind AS kind,
         CASE WHEN h.valid_from > g.valid_from THEN h.valid_from ELSE g.valid_from END AS starts_at,
         CASE WHEN COALESCE(h.valid_to, 253402300799999) < COALESCE(g.valid_to, 253402300799999) THEN h.valid_to
              ELSE COALESCE(g.valid_to, 253402300799999) END AS ends_at,
         CASE WHEN g.valid_to IS NULL OR h.id IS NOT NULL AND h.valid_to IS NULL THEN 1 ELSE 0 END AS unsure
    FROM access_grant_history g
    LEFT JOIN account_history h ON h.id = g.account AND h.valid_from < COALESCE(g.valid_to, 253402300799999)
          AND (h.valid_to > g.valid_from OR h.valid_to IS NULL)
   WHERE g.in_scope = 1 AND (g.privileged = 1 OR g.privileged IS NULL)
     AND (h.id IS NOT NULL OR NOT EXISTS (SELECT 1 FROM account_history k WHERE k.id = g.account))
),
island AS (
  -- Each stretch, with the beginning of what it goes on from without a break: an account that changes its kind ends nothing.
  SELECT m.id AS id, m.account AS account, m.system AS system, m.role AS role, m.privileged AS privileged, m.kind AS kind,
         m.ends_at AS ends_at, m.starts_at AS starts_at, m.unsure AS unsure,
         max(CASE WHEN m.ended_before >= m.starts_at THEN 0 ELSE m.starts_at END)
           OVER (PARTITION BY m.id ORDER BY m.place ASC NULLS FIRST ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW) AS begun_at
    FROM (SELECT h.id AS id, h.account AS account, h.system AS system, h.role AS role, h.privileged AS privileged, h.kind AS kind,
                 h.starts_at AS starts_at, h.ends_at AS ends_at, h.unsure AS unsure,
                 row_number() OVER (PARTITION BY h.id ORDER BY h.starts_at ASC NULLS FIRST, h.ends_at ASC NULLS FIRST, h.kind ASC NULLS FIRST) AS place,
                 max(h.ends_at) OVER (PARTITION BY h.id ORDER BY h.starts_at ASC NULLS FIRST, h.ends_at ASC NULLS FIRST, h.kind ASC NULLS FIRST
                                      ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS ended_before
            FROM held h
           WHERE h.ends_at > h.starts_at) m
),
stretch AS (
  SELECT i.id AS id, i.account AS account, i.system AS system, i.role AS role, i.begun_at AS begun_at,
         min(i.privileged) AS privileged, max(CASE WHEN i.privileged IS NULL THEN 1 ELSE 0 END) AS unclear, max(i.unsure) AS unsure,
         max(CASE WHEN i.kind = 'service' OR i.kind = 'bot' OR i.kind = 'shared' OR i.kind = 'break_glass' THEN 1 ELSE 0 END) AS nobodys,
         max(i.ends_at) AS ends_at
    FROM island i
   GROUP BY i.id, i.account, i.system, i.role, i.begun_at
  HAVING i.begun_at <= $as_of AND max(i.ends_at) > $from
),
excess AS (
  -- What of it lies in the period and beyond the hours.
  SELECT s.id AS id, s.account AS account, s.system AS system, s.role AS role, s.begun_at AS begun_at, s.unsure AS unsure, s.nobodys AS nobodys,
         CASE WHEN s.begun_at + $hours * CAST(3600000 AS BIGINT) < $from THEN $from ELSE s.begun_at + $hours * CAST(3600000 AS BIGINT) END AS starts_at,
         CASE WHEN s.ends_at > $as_of THEN $as_of + 1 ELSE s.ends_at END AS ends_at
    FROM stretch s
   WHERE s.begun_at + $hours * CAST(3600000 AS BIGINT) <= $as_of AND s.ends_at > s.begun_at + $hours * CAST(3600000 AS BIGINT)
),
decided AS (
  -- Decisions that it is standing: 2 good ones, 1 a person has to say, 0 by who holds it, by a machine, or for no reason.
  SELECT x.id AS id, x.begun_at AS begun_at, d.id AS decision, d.valid_from AS decided_from, min(d.grade) AS grade,
         min(CASE WHEN d.approved_at > d.valid_from THEN d.approved_at ELSE d.valid_from END) AS starts_at,
         min(COALESCE(d.valid_to, 253402300799999)) AS ends_at,
         min(CASE WHEN d.reason = '' OR d.approved_by = x.account OR bp.person = op.person OR h.kind = 'bot' OR h.kind = 'service'
                       OR d.role <> x.role THEN 0
                  WHEN d.reason IS NULL OR d.role IS NULL OR x.role IS NULL OR d.approved_at IS NULL OR d.valid_to IS NULL
                       OR bp.person IS NULL OR al.person IS NOT NULL OR h.kind IS NULL OR h.kind <> 'human' THEN 1
                  WHEN op.person IS NULL AND x.nobodys = 0 THEN 1
                  ELSE 2 END) AS worth
    FROM excess x
    JOIN standing_privilege_history d ON d.account = x.account AND d.system = x.system
    LEFT JOIN account_history h ON h.id = d.approved_by AND h.valid_from <= d.approved_at AND h.valid_to > d.approved_at
    LEFT JOIN account_person bp ON bp.account = d.approved_by AND bp.valid_from <= d.approved_at AND bp.valid_to > d.approved_at
    LEFT JOIN account_person op ON op.account = x.account AND op.valid_from < x.ends_at AND op.valid_to > x.starts_at
    LEFT JOIN person_alike al ON al.person = bp.person AND al.other_person = op.person
   GROUP BY x.id, x.begun_at, d.id, d.valid_from
),
cut AS (
  SELECT x.id AS id, x.begun_at AS begun_at, k.certain AS certain, d.decision AS decision,
         CASE WHEN d.starts_at < x.starts_at THEN x.starts_at ELSE d.starts_at END AS starts_at,
         CASE WHEN d.ends_at > x.ends_at THEN x.ends_at ELSE d.ends_at END AS ends_at
    FROM excess x
    JOIN decided d ON d.id = x.id AND d.begun_at = x.begun_at AND d.starts_at < x.ends_at AND d.ends_at > x.starts_at
         AND d.starts_at < d.ends_at
    JOIN (SELECT 1 AS certain UNION ALL SELECT 0 AS certain) k ON d.worth = 2 OR d.worth = 1 AND k.certain = 0
),
allowed AS (
  SELECT c.id AS id, c.begun_at AS begun_at,
         CAST(sum(CASE WHEN c.certain = 1 THEN c.ms ELSE 0 END) AS BIGINT) AS sure_ms,
         CAST(sum(CASE WHEN c.certain = 0 THEN c.ms ELSE 0 END) AS BIGINT) AS perhaps_ms
    FROM (SELECT w.id AS id, w.begun_at AS begun_at, w.certain AS certain,
                 CASE WHEN w.ended_before IS NULL OR w.ended_before <= w.starts_at THEN w.ends_at - w.starts_at
                      WHEN w.ended_before < w.ends_at THEN w.ends_at - w.ended_before
                      ELSE 0 END AS ms
            FROM (SELECT c.id AS id, c.begun_at AS begun_at, c.certain AS certain, c.starts_at AS starts_at, c.ends_at AS ends_at,
                         max(c.ends_at) OVER (PARTITION BY c.id, c.begun_at, c.certain
                                              ORDER BY c.starts_at ASC NULLS FIRST, c.ends_at ASC NULLS FIRST, c.decision ASC NULLS FIRST
                                              ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS ended_before
                    FROM cut c) w) c
   GROUP BY c.id, c.begun_at
),
bounded AS (
  -- The worst stretch: 3 in order, 2 a person has to say, 1 nobody can say, 0 neither bounded nor standing.
  SELECT x.id AS id,
         min(CASE WHEN a.sure_ms = x.ends_at - x.starts_at THEN 3
                  WHEN x.unsure = 1 THEN 1
                  WHEN a.perhaps_ms = x.ends_at - x.starts_at THEN 2
                  ELSE 0 END) AS worth
    FROM excess x
    LEFT JOIN allowed a ON a.id = x.id AND a.begun_at = x.begun_at
   GROUP BY x.id
),
quarter AS (
  SELECT d.quarter AS quarter, min(d.starts_at) AS starts_at, max(d.ends_at) AS ends_at
    FROM calendar_day d
   WHERE d.calendar = $calendar AND d.zone = $tz
     -- No quarter is longer than 93 days.
     AND d.starts_at >= $from - CAST(93 AS BIGINT) * 86400000 AND d.starts_at < $to + CAST(93 AS BIGINT) * 86400000
   GROUP BY d.quarter
),
owed AS (
  -- The quarters that end in the period and in which it held from beginning to end, or may have.
  SELECT s.id AS id, s.account AS account, s.system AS system, q.starts_at AS starts_at, q.ends_at AS ends_at, s.unsure AS unsure
    FROM stretch s
    JOIN quarter q ON q.ends_at > $from AND q.ends_at - 1 <= $as_of AND s.begun_at <= q.starts_at AND s.ends_at >= q.ends_at
),
confirmed AS (
  SELECT o.id AS id, o.starts_at AS quarter, o.unsure AS unsure, i.id AS decision, min(i.grade) AS grade,
         min(CASE WHEN i.id IS NULL OR i.decision = 'undecided' OR i.decided_at < o.starts_at OR i.decided_at >= o.ends_at
                       OR i.reviewer = o.account OR rp.person = op.person OR rh.kind = 'bot' OR rh.kind = 'service' THEN 0
                  WHEN i.decision = 'unknown' OR i.decided_at IS NULL THEN 1
                  WHEN rp.person IS NULL OR rh.kind IS NULL OR rh.kind <> 'human' OR al.person IS NOT NULL THEN 2
                  WHEN op.person IS NULL AND (oh.kind IS NULL OR oh.kind = 'human' OR oh.kind = 'guest' OR oh.kind = 'unknown') THEN 2
                  ELSE 3 END) AS worth
    FROM owed o
    LEFT JOIN access_review r ON r.system = o.system
    LEFT JOIN access_review_item i ON i.review = r.id AND i.account = o.account
    LEFT JOIN account_history rh ON rh.id = i.reviewer AND rh.valid_from <= i.decided_at AND rh.valid_to > i.decided_at
    LEFT JOIN account_history oh ON oh.id = o.account AND oh.valid_from <= i.decided_at AND oh.valid_to > i.decided_at
    LEFT JOIN account_person rp ON rp.account = i.reviewer AND rp.valid_from <= i.decided_at AND rp.valid_to > i.decided_at
    LEFT JOIN account_person op ON op.account = o.account AND op.valid_from <= i.decided_at AND op.valid_to > i.decided_at
    LEFT JOIN person_alike al ON al.person = rp.person AND al.other_person = op.person
   GROUP BY o.id, o.starts_at, o.unsure, i.id
),
gone_over AS (
  SELECT q.id AS id, min(q.grade) AS grade, min(CASE WHEN q.worth = 0 AND q.unsure = 1 THEN 1 ELSE q.worth END) AS worth
    FROM (SELECT c.id AS id, c.quarter AS quarter, max(c.unsure) AS unsure, min(c.grade) AS grade, max(c.worth) AS worth
            FROM confirmed c
           GROUP BY c.id, c.quarter) q
   GROUP BY q.id
),
day AS (
  -- Whether the calendar knows the period.
  SELECT count(*) AS known
    FROM calendar_day d
   WHERE d.calendar = $calendar AND d.zone = $tz AND d.starts_at <= $as_of AND d.ends_at > $as_of
),
item AS (
  SELECT s.id AS id, max(s.unclear) AS unclear, min(s.system) AS system, max(COALESCE(s.role, 'access')) AS role,
         max(CASE WHEN s.privileged = 1 THEN 1 ELSE 0 END) AS certain
    FROM stretch s
   GROUP BY s.id
),
standing AS (
  SELECT d.id AS id, min(d.grade) AS grade FROM decided d GROUP BY d.id
)
SELECT g.id AS item,
       i.role || ' at ' || COALESCE((SELECT min(s.label) FROM system_history s WHERE s.id = i.system), 'a system') AS label,
       $from AS occurred_at,
       min(g.entry) AS entry,
       CASE WHEN t.grade < min(g.grade) AND t.grade < COALESCE(v.grade, min(g.grade)) THEN t.grade
            WHEN v.grade < min(g.grade) THEN v.grade
            ELSE min(g.grade) END AS grade,
       CASE WHEN i.unclear = 1 THEN 'no_evidence'
            WHEN b.worth = 2 THEN 'needs_judgement' WHEN b.worth = 1 THEN 'no_evidence' WHEN b.worth = 0 THEN 'deviation'
            ELSE 'pass' END AS a,
       CASE WHEN i.unclear = 1 OR y.known = 0 THEN 'no_evidence'
            WHEN v.worth = 3 THEN 'pass' WHEN v.worth = 2 THEN 'needs_judgement' WHEN v.worth = 1 THEN 'no_evidence'
            WHEN v.worth = 0 THEN 'deviation' ELSE 'not_applicable' END AS b
  FROM access_grant_history g
  JOIN item i ON i.id = g.id
  LEFT JOIN bounded b ON b.id = g.id
  LEFT JOIN gone_over v ON v.id = g.id
  LEFT JOIN standing t ON t.id = g.id
  CROSS JOIN day y
 WHERE g.in_scope = 1
 GROUP BY g.id, i.role, i.system, i.unclear, b.worth, v.worth, v.grade, t.grade, y.known
