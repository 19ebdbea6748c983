WITH move AS (
  -- Another job than the one before, or nobody knows whether it is another.
  SELECT x.id AS id, x.account AS account, x.job AS job, x.former AS former, x.moved_at AS moved_at, x.ended_at AS ended_at,
         x.entry AS entry, x.grade AS grade,
         -- An entry that two people share is nobody's.
         CASE WHEN min(p.person) = max(p.person) THEN min(p.person) END AS person
    FROM (SELECT j.id AS id, j.account AS account, j.job AS job, j.valid_from AS moved_at, j.valid_to AS ended_at, j.entry AS entry, j.grade AS grade,
                 (SELECT b.job FROM job_history b WHERE b.account = j.account AND b.valid_from < j.valid_from
                   ORDER BY b.valid_from DESC NULLS LAST, b.id ASC NULLS FIRST LIMIT 1) AS former
            FROM job_history j
           WHERE j.valid_from >= $from AND j.valid_from < $to AND j.valid_from <= $cutoff
             AND NOT EXISTS (SELECT 1 FROM job_history b WHERE b.id = j.id AND b.in_scope = 0)
             AND EXISTS (SELECT 1 FROM job_history b WHERE b.account = j.account AND b.valid_from < j.valid_from)) x
    LEFT JOIN account_person p ON p.account = x.account AND p.valid_from <= x.moved_at AND p.valid_to > x.moved_at
   WHERE x.job IS NULL OR x.former IS NULL OR x.job <> x.former
   GROUP BY x.id, x.account, x.job, x.former, x.moved_at, x.ended_at, x.entry, x.grade
),
due AS (
  SELECT m.id AS id, m.moved_at AS moved_at, min(last.ends_at) - 1 AS due_at
    FROM move m
    JOIN calendar_day d ON d.calendar = $calendar AND d.zone = $tz AND d.starts_at <= m.moved_at AND d.ends_at > m.moved_at
          -- No day is longer than 25 hours: so that the engine looks at one of them only.
          AND d.starts_at > m.moved_at - CAST(25 AS BIGINT) * 3600000
    JOIN calendar_day last ON last.calendar = $calendar AND last.zone = $tz AND last.business_day = 1
          AND last.business_day_number = d.business_day_number + $business_days
          AND last.starts_at >= d.starts_at
          AND last.starts_at <= d.starts_at + (CAST($business_days AS BIGINT) * 3 + 20) * 86400000
   GROUP BY m.id, m.moved_at
),
kept AS (
  -- What the person had when the job changed: while the grant holds and the account is there.
  SELECT m.id AS id, m.moved_at AS moved_at, m.job AS job, m.former AS former, m.person AS person, d.due_at AS due_at,
         g.id AS held, g.account AS account, g.system AS system, g.role AS role, g.grade AS grade,
         CASE WHEN COALESCE(h.valid_to, 253402300799999) < COALESCE(g.valid_to, 253402300799999) THEN h.valid_to
              WHEN h.id IS NOT NULL AND h.valid_to IS NULL THEN NULL
              ELSE g.valid_to END AS ends_at
    FROM move m
    JOIN account_person k ON k.person = m.person AND k.valid_from <= m.moved_at AND k.valid_to > m.moved_at
    JOIN access_grant_history g ON g.account = k.account AND g.valid_from < m.moved_at
          AND (g.valid_to > m.moved_at OR g.valid_to IS NULL)
    LEFT JOIN account_history h ON h.id = g.account AND h.valid_from <= m.moved_at AND (h.valid_to > m.moved_at OR h.valid_to IS NULL)
    LEFT JOIN due d ON d.id = m.id AND d.moved_at = m.moved_at
   WHERE h.id IS NOT NULL OR NOT EXISTS (SELECT 1 FROM account_history a WHERE a.id = g.account)
),
anew AS (
  -- What was approved anew for the new job: 3 by somebody else, 2 a person has to say, 1 nobody can say, 0 not.
  SELECT k.id AS id, k.moved_at AS moved_at, k.held AS held, r.id AS request,
         min(CASE WHEN r.status = 'denied' OR r.status = 'pending' OR r.approved_at > k.due_at OR r.approved_at > $cutoff
                       OR r.approved_at < k.moved_at - $approval_days * CAST(86400000 AS BIGINT)
                       OR r.role <> k.role OR r.expires_at <= k.due_at THEN 0
                  WHEN h.kind = 'bot' OR h.kind = 'service' OR r.approved_by = r.requested_by OR ap.person = k.person OR ap.person = qp.person THEN 0
                  WHEN r.status = 'unknown' OR r.approved_at IS NULL OR r.role IS NULL OR k.role IS NULL OR r.expires_at IS NULL
                       OR r.basis <> 'record' AND r.basis <> 'export' AND (r.recorded_at IS NULL OR r.recorded_at > k.due_at) THEN 1
                  WHEN ap.person IS NULL OR qp.person IS NULL OR h.kind IS NULL OR h.kind <> 'human' OR ak.person IS NOT NULL OR aq.person IS NOT NULL THEN 2
                  ELSE 3 END) AS worth
    FROM kept k
    JOIN account_person s ON s.person = k.person
    JOIN access_request r ON r.account = s.account AND r.system = k.system
    LEFT JOIN account_history h ON h.id = r.approved_by AND h.valid_from <= r.approved_at AND h.valid_to > r.approved_at
    LEFT JOIN account_person ap ON ap.account = r.approved_by AND ap.valid_from <= r.approved_at AND ap.valid_to > r.approved_at
    LEFT JOIN account_person qp ON qp.account = r.requested_by AND qp.valid_from <= r.approved_at AND qp.valid_to > r.approved_at
    LEFT JOIN person_alike ak ON ak.person = ap.person AND ak.other_person = k.person
    LEFT JOIN person_alike aq ON aq.person = ap.person AND aq.other_person = qp.person
   GROUP BY k.id, k.moved_at, k.held, r.id
),
fit AS (
  SELECT k.id AS id, k.moved_at AS moved_at, k.due_at AS due_at, k.ends_at AS ends_at, k.job AS job, k.role AS role, k.grade AS grade,
         -- What the new job may have, 2 for certain; and what the former one could.
         COALESCE((SELECT max(CASE WHEN x.valid_to IS NULL THEN 1 ELSE 2 END) FROM role_matrix_history x
                    WHERE x.job = k.job AND x.system = k.system AND x.role = k.role AND x.valid_from <= k.moved_at
                      AND (x.valid_to > k.moved_at OR x.valid_to IS NULL)), 0) AS may,
         COALESCE((SELECT max(1) FROM role_matrix_history x
                    WHERE x.job = k.former AND x.system = k.system AND x.role = k.role AND x.valid_from < k.moved_at), 0) AS could,
         COALESCE((SELECT max(1) FROM role_matrix_history x
                    WHERE x.job = k.job AND x.valid_from <= k.moved_at AND (x.valid_to > k.moved_at OR x.valid_to IS NULL)), 0) AS laid_down,
         COALESCE((SELECT max(a.worth) FROM anew a WHERE a.id = k.id AND a.moved_at = k.moved_at AND a.held = k.held), 0) AS anew
    FROM kept k
),
worst AS (
  -- 4 in order, 3 has days to go, 2 a person has to say, 1 nobody can say, 0 kept.
  SELECT f.id AS id, f.moved_at AS moved_at, min(f.grade) AS grade,
         min(CASE WHEN f.may = 2 OR f.anew = 3 OR f.ends_at <= f.due_at THEN 4
                  WHEN f.due_at IS NULL THEN 1
                  WHEN f.due_at > $cutoff THEN 3
                  WHEN f.job IS NULL OR f.role IS NULL OR f.ends_at IS NULL OR f.laid_down = 0 OR f.may = 1 OR f.anew = 1 THEN 1
                  WHEN f.anew = 2 OR f.could = 0 THEN 2
                  ELSE 0 END) AS worth
    FROM fit f
   GROUP BY f.id, f.moved_at
),
said AS (
  SELECT m.id AS id, m.moved_at AS moved_at, m.entry AS entry,
         CASE WHEN w.grade < m.grade THEN w.grade ELSE m.grade END AS grade,
         -- Who went on to the next job before this one's time was up is judged by that one.
         CASE WHEN m.ended_at <= d.due_at THEN NULL
              WHEN m.person IS NULL THEN 1
              ELSE w.worth END AS worth,
         CASE WHEN d.due_at < $cutoff THEN d.due_at ELSE $cutoff END AS until
    FROM move m
    LEFT JOIN due d ON d.id = m.id AND d.moved_at = m.moved_at
    LEFT JOIN worst w ON w.id = m.id AND w.moved_at = m.moved_at
)
SELECT s.id AS item,
       'change of job' AS label,
       max(s.moved_at) AS occurred_at,
       min(s.entry) AS entry,
       min(s.grade) AS grade,
       CASE min(s.worth) WHEN 4 THEN 'pass' WHEN 3 THEN 'not_yet_due' WHEN 2 THEN 'needs_judgement' WHEN 1 THEN 'no_evidence'
            WHEN 0 THEN 'deviation' ELSE 'not_applicable' END AS a,
       min(s.moved_at) - $approval_days * CAST(86400000 AS BIGINT) AS a_since,
       max(s.until) AS a_until
  FROM said s
 GROUP BY s.id
