WITH entrance AS (
  -- What lets an account into a system: while the account is there and the grant holds. Known to hold to `least`, and to `most` at the most: of what
  -- ends nobody knows when only the first instant is certain.
  SELECT g.id AS id, g.account AS account, g.system AS system, g.role AS role, g.entry AS entry, g.grade AS grade, g.in_scope AS in_scope,
         CASE WHEN h.valid_from > g.valid_from THEN h.valid_from ELSE g.valid_from END AS starts_at,
         CASE WHEN h.valid_to < COALESCE(g.valid_to, 253402300799999) THEN h.valid_to ELSE COALESCE(g.valid_to, 253402300799999) END AS most,
         CASE WHEN g.valid_to IS NULL OR (h.id IS NOT NULL AND h.valid_to IS NULL) THEN 0 ELSE 1 END AS end_known
    FROM access_grant_history g
    LEFT JOIN account_history h ON h.id = g.account AND h.valid_from < COALESCE(g.valid_to, 253402300799999)
          AND (h.valid_to > g.valid_from OR h.valid_to IS NULL)
   WHERE h.id IS NOT NULL OR NOT EXISTS (SELECT 1 FROM account_history k WHERE k.id = g.account)
),
side AS (
  SELECT r.id AS conflict, r.valid_from AS version, 1 AS side, r.first_system AS system, r.first_role AS role, r.valid_from AS starts_at, r.valid_to AS ends_at, r.grade AS grade
    FROM duty_conflict_history r
  UNION ALL
  SELECT r.id AS conflict, r.valid_from AS version, 2 AS side, r.second_system AS system, r.second_role AS role, r.valid_from AS starts_at, r.valid_to AS ends_at, r.grade AS grade
    FROM duty_conflict_history r
),
duty AS (
  -- Grants of a duty that is kept apart from another, or that may be one, cut to the time in which they are.
  SELECT d.id AS id, d.account AS account, d.conflict AS conflict, d.version AS version, d.side AS side, d.sure AS sure, d.entry AS entry, d.grade AS grade,
         d.in_scope AS in_scope, d.starts_at AS starts_at,
         CASE WHEN d.most > d.ends_at THEN d.ends_at ELSE d.most END AS most,
         CASE WHEN d.end_known = 0 THEN CASE WHEN d.began_at + 1 < d.ends_at THEN d.began_at + 1 ELSE d.ends_at END
              WHEN d.most > d.ends_at THEN d.ends_at ELSE d.most END AS least
    FROM (SELECT e.id AS id, e.account AS account, s.conflict AS conflict, s.version AS version, s.side AS side, e.entry AS entry, e.in_scope AS in_scope,
                 CASE WHEN e.role IS NULL THEN 0 ELSE 1 END AS sure,
                 CASE WHEN s.grade < e.grade THEN s.grade ELSE e.grade END AS grade,
                 CASE WHEN e.end_known = 0 OR s.ends_at IS NULL THEN 0 ELSE 1 END AS end_known,
                 CASE WHEN e.starts_at > s.starts_at THEN e.starts_at ELSE s.starts_at END AS began_at,
                 CASE WHEN e.starts_at > s.starts_at AND e.starts_at > $from THEN e.starts_at
                      WHEN s.starts_at > $from THEN s.starts_at
                      ELSE $from END AS starts_at,
                 COALESCE(e.most, 253402300799999) AS most,
                 CASE WHEN s.ends_at < $as_of + 1 THEN s.ends_at ELSE $as_of + 1 END AS ends_at
            FROM entrance e
            JOIN side s ON s.system = e.system AND (s.role = e.role OR e.role IS NULL)
           WHERE e.starts_at <= $as_of AND s.starts_at <= $as_of
             AND (e.most > $from OR e.most IS NULL) AND (s.ends_at > $from OR s.ends_at IS NULL)
             AND (e.most > s.starts_at OR e.most IS NULL) AND (s.ends_at > e.starts_at OR s.ends_at IS NULL)) d
),
met AS (
  -- Two duties that are kept apart and were had at once, or may have been; and whether by one: 3 they were, 2 they may be alike, 1 nobody can say.
  SELECT d.id AS id, o.id AS other, d.conflict AS conflict, d.version AS version, d.account AS account, o.account AS other_account,
         min(dp.person) AS person,
         CASE WHEN o.grade < d.grade THEN o.grade ELSE d.grade END AS grade,
         CASE WHEN d.sure = 1 AND o.sure = 1 THEN 1 ELSE 0 END AS sure,
         CASE WHEN d.starts_at > o.starts_at THEN d.starts_at ELSE o.starts_at END AS starts_at,
         CASE WHEN d.most < o.most THEN d.most ELSE o.most END AS most,
         CASE WHEN d.least < o.least THEN d.least ELSE o.least END AS least,
         max(CASE WHEN d.account = o.account OR dp.person = op.person THEN 3
                  WHEN al.person IS NOT NULL THEN 2
                  WHEN dp.person IS NULL OR op.person IS NULL THEN 1
                  ELSE 0 END) AS one
    FROM duty d
    JOIN duty o ON o.conflict = d.conflict AND o.version = d.version AND o.side <> d.side AND o.id <> d.id
         AND o.starts_at < d.most AND d.starts_at < o.most
    LEFT JOIN account_person dp ON dp.account = d.account AND dp.valid_from < d.most AND dp.valid_to > d.starts_at
    LEFT JOIN account_person op ON op.account = o.account AND op.valid_from < o.most AND op.valid_to > o.starts_at
    LEFT JOIN person_alike al ON al.person = dp.person AND al.other_person = op.person
   GROUP BY d.id, o.id, d.conflict, d.version, d.account, o.account, d.grade, o.grade, d.sure, o.sure, d.starts_at, o.starts_at, d.most, o.most, d.least, o.least
),
pair AS (
  SELECT row_number() OVER (ORDER BY m.id ASC NULLS FIRST, m.other ASC NULLS FIRST, m.conflict ASC NULLS FIRST, m.version ASC NULLS FIRST,
                                     m.starts_at ASC NULLS FIRST, m.most ASC NULLS FIRST, m.least ASC NULLS FIRST) AS place,
         m.id AS id, m.conflict AS conflict, m.account AS account, m.other_account AS other_account, m.person AS person, m.grade AS grade,
         m.starts_at AS starts_at, m.most AS most,
         CASE WHEN m.least >= m.most THEN 1 ELSE 0 END AS end_known,
         -- 3 one for certain, for some time; 2 a person has to say; 1 nobody can say.
         CASE WHEN m.sure = 0 OR m.one = 1 OR m.starts_at >= m.least THEN 1 ELSE m.one END AS one
    FROM met m
   WHERE m.one > 0
),
allowance AS (
  -- 3 by another person for a reason, 2 a person has to say, 1 nobody can say, 0 by who has both, by a machine, or for no reason.
  SELECT p.place AS place, x.id AS id, x.valid_from AS valid_from, x.grade AS grade,
         CASE WHEN x.approved_at > x.valid_from THEN x.approved_at ELSE x.valid_from END AS starts_at,
         COALESCE(x.valid_to, 253402300799999) AS ends_at,
         min(CASE WHEN x.reason = '' OR x.approved_by = p.account OR x.approved_by = p.other_account OR bp.person = p.person
                       OR h.kind = 'bot' OR h.kind = 'service' THEN 0
                  WHEN x.reason IS NULL OR x.approved_at IS NULL OR x.valid_to IS NULL OR h.kind IS NULL OR h.kind = 'unknown'
                       OR bp.person IS NULL OR p.person IS NULL THEN 1
                  WHEN h.kind <> 'human' OR al.person IS NOT NULL THEN 2
                  ELSE 3 END) AS worth
    FROM pair p
    JOIN duty_exception_history x ON x.conflict = p.conflict
    LEFT JOIN account_person xp ON xp.account = x.account AND xp.person = p.person
    LEFT JOIN account_history h ON h.id = x.approved_by AND h.valid_from <= x.approved_at AND h.valid_to > x.approved_at
    LEFT JOIN account_person bp ON bp.account = x.approved_by AND bp.valid_from <= x.approved_at AND bp.valid_to > x.approved_at
    LEFT JOIN person_alike al ON al.person = bp.person AND al.other_person = p.person
   WHERE (x.account = p.account OR x.account = p.other_account OR xp.person IS NOT NULL)
     AND (x.approved_at <= $cutoff OR x.approved_at IS NULL)
   GROUP BY p.place, x.id, x.valid_from, x.grade, x.approved_at, x.valid_to
),
cut AS (
  SELECT l.least AS least, p.place AS place, a.id AS id,
         CASE WHEN a.starts_at < p.starts_at THEN p.starts_at ELSE a.starts_at END AS starts_at,
         CASE WHEN a.ends_at > p.most THEN p.most ELSE a.ends_at END AS ends_at
    FROM pair p
    JOIN allowance a ON a.place = p.place AND a.starts_at < p.most AND a.ends_at > p.starts_at AND a.starts_at < a.ends_at
    JOIN (SELECT 1 AS least UNION ALL SELECT 2 AS least UNION ALL SELECT 3 AS least) l ON l.least <= a.worth
),
held AS (
  -- Each instant once: a decision counts from where the ones before it ended.
  SELECT c.least AS least, c.place AS place, c.starts_at AS starts_at, c.ends_at AS ends_at,
         max(c.ends_at) OVER (PARTITION BY c.least, c.place ORDER BY c.starts_at ASC NULLS FIRST, c.ends_at ASC NULLS FIRST, c.id ASC NULLS FIRST
                              ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS ended_before
    FROM cut c
),
allowed AS (
  SELECT h.least AS least, h.place AS place, min(h.starts_at) AS starts_at,
         CAST(sum(CASE WHEN h.ended_before IS NULL OR h.ended_before <= h.starts_at THEN h.ends_at - h.starts_at
                       WHEN h.ended_before < h.ends_at THEN h.ends_at - h.ended_before
                       ELSE 0 END) AS BIGINT) AS ms
    FROM held h
   GROUP BY h.least, h.place
),
judged AS (
  -- The worst of each grant: 3 in order, 2 a person has to say, 1 nobody can say, 0 both at once without leave.
  SELECT p.id AS id, min(CASE WHEN g.grade < p.grade THEN g.grade ELSE p.grade END) AS grade,
         min(CASE WHEN k3.ms = p.most - p.starts_at THEN 3
                  WHEN p.one = 2 OR k2.ms = p.most - p.starts_at THEN 2
                  WHEN p.one = 1 OR k1.ms = p.most - p.starts_at OR (p.end_known = 0 AND k1.starts_at = p.starts_at) THEN 1
                  ELSE 0 END) AS worth
    FROM pair p
    LEFT JOIN allowed k3 ON k3.place = p.place AND k3.least = 3
    LEFT JOIN allowed k2 ON k2.place = p.place AND k2.least = 2
    LEFT JOIN allowed k1 ON k1.place = p.place AND k1.least = 1
    LEFT JOIN (SELECT a.place AS place, min(a.grade) AS grade FROM allowance a GROUP BY a.place) g ON g.place = p.place
   GROUP BY p.id
)
SELECT d.id AS item,
       min(r.label) AS label,
       $from AS occurred_at,
       min(d.entry) AS entry,
       CASE WHEN j.grade < min(d.grade) THEN j.grade ELSE min(d.grade) END AS grade,
       CASE WHEN j.worth = 0 THEN 'deviation' WHEN j.worth = 1 THEN 'no_evidence' WHEN j.worth = 2 THEN 'needs_judgement'
            ELSE 'pass' END AS a
  FROM duty d
  JOIN duty_conflict_history r ON r.id = d.conflict AND r.valid_from = d.version
  LEFT JOIN judged j ON j.id = d.id
 WHERE d.in_scope = 1
 GROUP BY d.id, j.grade, j.worth
