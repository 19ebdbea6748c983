WITH quarter AS (
  SELECT q.starts_at AS starts_at, q.ends_at AS ends_at
    FROM (SELECT d.quarter AS quarter, min(d.starts_at) AS starts_at, max(d.ends_at) AS ends_at
            FROM calendar_day d
           WHERE d.calendar = $calendar AND d.zone = $tz
             -- No quarter is longer than 93 days.
             AND d.starts_at >= $from - CAST(93 AS BIGINT) * 86400000 AND d.starts_at < $to + CAST(93 AS BIGINT) * 86400000
           GROUP BY d.quarter) q
   WHERE q.ends_at > $from AND q.ends_at <= $to AND q.ends_at - 1 <= $as_of
  UNION ALL
  -- Where the calendar does not know the period, nobody can say which quarters there are.
  SELECT $from AS starts_at, NULL AS ends_at
    FROM (SELECT count(*) AS days
            FROM calendar_day d
           WHERE d.calendar = $calendar AND d.zone = $tz
             AND (d.starts_at <= $from AND d.ends_at > $from OR d.starts_at < $to AND d.ends_at >= $to)) k
   WHERE k.days = 0 OR k.days = 1 AND $to - $from > CAST(90000000 AS BIGINT)
),
held AS (
  -- What a person had in the last instant of a quarter.
  SELECT g.id AS id, g.account AS account, g.system AS system, g.role AS role, g.valid_from AS valid_from, g.entry AS entry,
         CASE WHEN h.grade < g.grade THEN h.grade ELSE g.grade END AS grade,
         q.starts_at AS quarter, q.ends_at AS ends_at, COALESCE(q.ends_at, $as_of + 1) - 1 AS seen_at,
         CASE WHEN g.valid_to IS NULL OR h.valid_to IS NULL THEN 1 ELSE 0 END AS unsure,
         CASE WHEN min(p.person) = max(p.person) THEN min(p.person) END AS person
    FROM quarter q
    JOIN access_grant_history g ON g.in_scope = 1 AND g.valid_from <= COALESCE(q.ends_at, $as_of + 1) - 1
          AND (g.valid_to > COALESCE(q.ends_at, $as_of + 1) - 1 OR g.valid_to IS NULL)
    JOIN account_history h ON h.id = g.account AND (h.kind = 'human' OR h.kind = 'guest' OR h.kind = 'unknown')
          AND h.valid_from <= COALESCE(q.ends_at, $as_of + 1) - 1 AND (h.valid_to > COALESCE(q.ends_at, $as_of + 1) - 1 OR h.valid_to IS NULL)
    LEFT JOIN account_person p ON p.account = g.account AND p.valid_from <= COALESCE(q.ends_at, $as_of + 1) - 1
          AND p.valid_to > COALESCE(q.ends_at, $as_of + 1) - 1
   GROUP BY g.id, g.account, g.system, g.role, g.valid_from, g.valid_to, g.entry, g.grade, h.grade, h.valid_to, q.starts_at, q.ends_at
),
work AS (
  -- What the holder works as then; nobody's job is unknown.
  SELECT h.id AS id, h.valid_from AS valid_from, h.quarter AS quarter, h.system AS system, h.role AS role, h.person AS person,
         h.seen_at AS seen_at, j.job AS job, max(CASE WHEN j.valid_to IS NULL OR j.job IS NULL THEN 1 ELSE 0 END) AS unsure
    FROM held h
    JOIN account_person p ON p.person = h.person
    JOIN job_history j ON j.account = p.account AND j.valid_from <= h.seen_at AND (j.valid_to > h.seen_at OR j.valid_to IS NULL)
   GROUP BY h.id, h.valid_from, h.quarter, h.system, h.role, h.person, h.seen_at, j.job
),
fit AS (
  -- Of each job: 3 may have the role, 1 nobody can say, 0 may not; and what was laid down of it by whom: 3 by a named
  -- person, 2 by nobody knows whom, 1 nobody knows when, 0 by a program or afterwards.
  SELECT w.id AS id, w.valid_from AS valid_from, w.quarter AS quarter, w.job AS job, x.id AS rule, min(x.grade) AS grade,
         min(CASE WHEN w.unsure = 1 OR w.role IS NULL THEN 1
                  WHEN x.id IS NULL THEN CASE WHEN EXISTS (SELECT 1 FROM role_matrix_history m WHERE m.job = w.job AND m.valid_from <= w.seen_at
                                                              AND (m.valid_to > w.seen_at OR m.valid_to IS NULL)) THEN 0 ELSE 1 END
                  WHEN x.valid_to IS NULL THEN 1
                  ELSE 3 END) AS may,
         min(CASE WHEN x.id IS NULL THEN NULL
                  WHEN x.approved_at > w.seen_at OR h.kind = 'bot' OR h.kind = 'service' THEN 0
                  WHEN x.approved_at IS NULL THEN 1
                  WHEN ap.person IS NULL OR h.kind IS NULL OR h.kind <> 'human' THEN 2
                  ELSE 3 END) AS laid_down
    FROM work w
    LEFT JOIN role_matrix_history x ON x.job = w.job AND x.system = w.system AND x.role = w.role AND x.valid_from <= w.seen_at
          AND (x.valid_to > w.seen_at OR x.valid_to IS NULL)
    LEFT JOIN account_history h ON h.id = x.approved_by AND h.valid_from <= x.approved_at AND h.valid_to > x.approved_at
    LEFT JOIN account_person ap ON ap.account = x.approved_by AND ap.valid_from <= x.approved_at AND ap.valid_to > x.approved_at
   GROUP BY w.id, w.valid_from, w.quarter, w.job, x.id
),
best AS (
  SELECT f.id AS id, f.valid_from AS valid_from, f.quarter AS quarter, max(f.may) AS may, min(f.grade) AS grade,
         max(CASE WHEN f.may = 3 THEN f.laid_down END) AS laid_down
    FROM fit f
   GROUP BY f.id, f.valid_from, f.quarter
),
excused AS (
  -- What was written down why the account goes beyond: 3 by somebody else, 2 a person has to say, 0 not.
  SELECT h.id AS id, h.valid_from AS valid_from, h.quarter AS quarter, x.id AS exclusion, min(x.grade) AS grade,
         min(CASE WHEN x.reason = '' OR bp.person = h.person OR a.kind = 'bot' OR a.kind = 'service' OR x.approved_at > h.seen_at
                       OR x.starts_at > h.seen_at OR x.ends_at <= h.seen_at THEN 0
                  WHEN x.reason IS NULL OR x.approved_at IS NULL OR x.ends_at IS NULL OR bp.person IS NULL OR h.person IS NULL
                       OR al.person IS NOT NULL OR a.kind IS NULL OR a.kind <> 'human' THEN 2
                  ELSE 3 END) AS worth
    FROM held h
    JOIN account_exclusion x ON x.account = h.account AND x.control = 'IAM-04'
    LEFT JOIN account_history a ON a.id = x.approved_by AND a.valid_from <= x.approved_at AND a.valid_to > x.approved_at
    LEFT JOIN account_person bp ON bp.account = x.approved_by AND bp.valid_from <= x.approved_at AND bp.valid_to > x.approved_at
    LEFT JOIN person_alike al ON al.person = bp.person AND al.other_person = h.person
   GROUP BY h.id, h.valid_from, h.quarter, x.id
),
excuse AS (
  SELECT e.id AS id, e.valid_from AS valid_from, e.quarter AS quarter, max(e.worth) AS worth, min(e.grade) AS grade
    FROM excused e
   GROUP BY e.id, e.valid_from, e.quarter
),
said AS (
  SELECT h.id AS id, h.system AS system, h.quarter AS quarter, h.seen_at AS seen_at, h.entry AS entry,
         COALESCE(h.role, 'access') AS role,
         CASE WHEN b.grade < h.grade AND b.grade < COALESCE(x.grade, h.grade) THEN b.grade WHEN x.grade < h.grade THEN x.grade
              ELSE h.grade END AS grade,
         -- 3 in order, 2 a person has to say, 1 nobody can say, 0 beyond.
         CASE WHEN h.ends_at IS NULL OR h.unsure = 1 THEN 1
              WHEN b.may = 3 OR x.worth = 3 THEN 3
              WHEN h.person IS NULL OR b.may IS NULL OR b.may = 1 THEN 1
              WHEN x.worth = 2 THEN 2
              ELSE 0 END AS worth,
         CASE WHEN h.ends_at IS NULL OR h.unsure = 1 AND b.may = 3 THEN 1 WHEN b.may = 3 THEN b.laid_down END AS laid_down
    FROM held h
    LEFT JOIN best b ON b.id = h.id AND b.valid_from = h.valid_from AND b.quarter = h.quarter
    LEFT JOIN excuse x ON x.id = h.id AND x.valid_from = h.valid_from AND x.quarter = h.quarter
)
SELECT s.id AS item,
       min(s.role) || ' at ' || min(COALESCE((SELECT min(y.label) FROM system_history y WHERE y.id = s.system), 'a system')) AS label,
       s.quarter AS occurred_at,
       min(s.entry) AS entry,
       min(s.grade) AS grade,
       CASE min(s.worth) WHEN 3 THEN 'pass' WHEN 2 THEN 'needs_judgement' WHEN 1 THEN 'no_evidence' ELSE 'deviation' END AS a,
       CASE min(s.laid_down) WHEN 3 THEN 'pass' WHEN 2 THEN 'needs_judgement' WHEN 1 THEN 'no_evidence' WHEN 0 THEN 'deviation'
            ELSE 'not_applicable' END AS b,
       min(s.seen_at) AS a_until,
       min(s.seen_at) AS b_until,
       s.system AS scope
  FROM said s
 GROUP BY s.id, s.system, s.quarter
