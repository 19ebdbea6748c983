WITH policy AS (
  -- What everybody has to acknowledge, from when to when; 1 where nobody says whether they have to, or until when.
  SELECT v.policy AS policy, min(v.valid_from) AS starts_at, max(COALESCE(v.valid_to, 253402300799999)) AS ends_at, min(v.grade) AS grade,
         max(CASE WHEN v.for_everybody IS NULL OR v.valid_to IS NULL THEN 1 ELSE 0 END) AS unsure, min(v.in_scope) AS in_scope
    FROM policy_version_history v
   WHERE v.for_everybody = 1 OR v.for_everybody IS NULL
   GROUP BY v.policy
),
asked AS (
  SELECT e.id AS employment, e.label AS label, e.entry AS entry, e.account AS account, e.started_at AS started_at, e.ended_at AS ended_at,
         CASE WHEN y.grade < e.grade THEN y.grade ELSE e.grade END AS grade, y.policy AS policy,
         CASE WHEN y.unsure = 1 OR e.started_at IS NULL OR e.ended_at IS NULL THEN 1 ELSE 0 END AS unsure,
         -- Due after joining, or after the policy came.
         CASE WHEN COALESCE(e.started_at, 0) > y.starts_at THEN e.started_at ELSE y.starts_at END + $joiner_days * CAST(86400000 AS BIGINT) AS due_at,
         CASE WHEN COALESCE(e.ended_at, 253402300799999) < y.ends_at THEN e.ended_at ELSE y.ends_at END AS over_at
    FROM employment e
    JOIN policy y ON y.in_scope = 1 AND y.starts_at <= $as_of AND y.ends_at > $from
   WHERE e.in_scope = 1 AND COALESCE(e.started_at, $from) <= $as_of AND (e.ended_at > $from OR e.ended_at IS NULL)
     AND y.ends_at > COALESCE(e.started_at, 0) AND COALESCE(e.ended_at, 253402300799999) > y.starts_at
),
known AS (
  SELECT a.employment AS employment, a.policy AS policy, a.label AS label, a.entry AS entry, a.grade AS grade, a.unsure AS unsure,
         a.started_at AS started_at, a.due_at AS due_at, a.over_at AS over_at,
         -- An entry that two people share is nobody's.
         CASE WHEN min(p.person) = max(p.person) THEN min(p.person) END AS person,
         CASE WHEN a.due_at < $from THEN $from ELSE a.due_at END AS needed_from,
         CASE WHEN a.over_at < $as_of + 1 THEN a.over_at ELSE $as_of + 1 END AS needed_to
    FROM asked a
    LEFT JOIN account_person p ON p.account = a.account AND p.valid_from <= $as_of AND p.valid_to > COALESCE(a.started_at, $from)
   GROUP BY a.employment, a.policy, a.label, a.entry, a.grade, a.unsure, a.started_at, a.due_at, a.over_at
),
ack AS (
  -- 3 of the version in force then, 1 nobody can say, 0 of another version.
  SELECT k.id AS id, k.account AS account, k.policy AS policy, k.acked_at AS acked_at, k.grade AS grade,
         CASE WHEN k.recorded_at - k.acked_at > $late_days * CAST(86400000 AS BIGINT) OR k.recorded_at < k.acked_at THEN 1 ELSE 0 END AS late,
         max(CASE WHEN k.version IS NULL OR k.acked_at IS NULL THEN 1
                  WHEN v.valid_from <= k.acked_at AND v.valid_to > k.acked_at THEN 3
                  WHEN v.valid_from <= k.acked_at AND v.valid_to IS NULL THEN 1
                  ELSE 0 END) AS worth
    FROM policy_ack k
    LEFT JOIN policy_version_history v ON v.id = k.version AND v.policy = k.policy
   WHERE k.acked_at <= $cutoff OR k.acked_at IS NULL
   GROUP BY k.id, k.account, k.policy, k.acked_at, k.recorded_at, k.grade
),
theirs AS (
  -- What may be theirs: of the person, of somebody alike, or of nobody knows whom.
  SELECT w.employment AS employment, w.policy AS policy, k.acked_at AS acked_at, k.grade AS grade,
         max(CASE WHEN k.worth = 1 THEN 1 WHEN w.own = 1 AND k.late = 0 THEN 3 ELSE 2 END) AS worth
    FROM (SELECT o.employment AS employment, o.policy AS policy, q.account AS account, 1 AS own
            FROM known o JOIN account_person q ON q.person = o.person
          UNION
          SELECT o.employment AS employment, o.policy AS policy, q.account AS account, 0 AS own
            FROM known o JOIN person_alike al ON al.person = o.person JOIN account_person q ON q.person = al.other_person) w
    JOIN ack k ON k.policy = w.policy AND k.account = w.account AND k.worth > 0
   GROUP BY w.employment, w.policy, k.id, k.acked_at, k.grade
  UNION ALL
  SELECT o.employment AS employment, o.policy AS policy, k.acked_at AS acked_at, k.grade AS grade, 1 AS worth
    FROM known o
    JOIN ack k ON k.policy = o.policy AND k.account IS NULL AND k.worth > 0
),
level AS (SELECT 1 AS worth UNION ALL SELECT 2 AS worth UNION ALL SELECT 3 AS worth),
stretch AS (
  SELECT k.employment AS employment, k.policy AS policy, l.worth AS worth,
         CASE WHEN COALESCE(t.acked_at, 0) < k.needed_from THEN k.needed_from ELSE t.acked_at END AS starts_at,
         CASE WHEN COALESCE(t.acked_at + $yearly_days * CAST(86400000 AS BIGINT) + 1, 253402300799999) > k.needed_to THEN k.needed_to
              ELSE t.acked_at + $yearly_days * CAST(86400000 AS BIGINT) + 1 END AS ends_at
    FROM known k
    JOIN theirs t ON t.employment = k.employment AND t.policy = k.policy
         AND (t.acked_at < k.needed_to AND t.acked_at + $yearly_days * CAST(86400000 AS BIGINT) >= k.needed_from OR t.acked_at IS NULL)
    JOIN level l ON l.worth <= t.worth
   WHERE k.needed_from < k.needed_to
),
covered AS (
  SELECT r.employment AS employment, r.policy AS policy, r.worth AS worth,
         CAST(sum(CASE WHEN r.ended_before IS NULL OR r.ended_before <= r.starts_at THEN r.ends_at - r.starts_at
                       WHEN r.ended_before < r.ends_at THEN r.ends_at - r.ended_before ELSE 0 END) AS BIGINT) AS good_ms
    FROM (SELECT s.employment AS employment, s.policy AS policy, s.worth AS worth, s.starts_at AS starts_at, s.ends_at AS ends_at,
                 max(s.ends_at) OVER (PARTITION BY s.employment, s.policy, s.worth ORDER BY s.starts_at ASC NULLS FIRST, s.ends_at ASC NULLS FIRST
                                      ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS ended_before
            FROM stretch s) r
   GROUP BY r.employment, r.policy, r.worth
),
throughout AS (
  SELECT k.employment AS employment, k.policy AS policy, max(c.worth) AS worth
    FROM known k
    JOIN covered c ON c.employment = k.employment AND c.policy = k.policy AND c.good_ms = k.needed_to - k.needed_from
   GROUP BY k.employment, k.policy
),
first AS (
  -- The best that counts when it is first due.
  SELECT k.employment AS employment, k.policy AS policy, max(t.worth) AS worth
    FROM known k
    JOIN theirs t ON t.employment = k.employment AND t.policy = k.policy
         AND (t.acked_at <= k.due_at AND t.acked_at + $yearly_days * CAST(86400000 AS BIGINT) >= k.due_at OR t.acked_at IS NULL)
   GROUP BY k.employment, k.policy
),
evidence AS (
  SELECT t.employment AS employment, t.policy AS policy, min(t.grade) AS grade
    FROM theirs t
   WHERE t.worth = 3
   GROUP BY t.employment, t.policy
)
SELECT k.employment AS item,
       k.label AS label,
       CASE WHEN k.started_at > $from THEN k.started_at ELSE $from END AS occurred_at,
       k.entry AS entry,
       CASE WHEN v.grade < k.grade THEN v.grade ELSE k.grade END AS grade,
       CASE WHEN k.due_at < $from OR k.over_at <= k.due_at AND k.over_at < 253402300799999 AND k.unsure = 0 THEN 'not_applicable'
            WHEN k.unsure = 1 THEN 'no_evidence'
            WHEN f.worth = 3 THEN 'pass'
            WHEN k.due_at > $cutoff THEN 'not_yet_due'
            WHEN f.worth = 2 THEN 'needs_judgement'
            WHEN f.worth = 1 OR k.person IS NULL THEN 'no_evidence'
            ELSE 'deviation' END AS a,
       CASE WHEN k.unsure = 1 THEN 'no_evidence'
            WHEN k.needed_from >= k.needed_to THEN 'not_applicable'
            WHEN t.worth = 3 THEN 'pass'
            WHEN t.worth = 2 THEN 'needs_judgement'
            WHEN t.worth = 1 OR k.person IS NULL THEN 'no_evidence'
            ELSE 'deviation' END AS b,
       -- What counts in the period may lie a year before it.
       CASE WHEN k.started_at > $from - $yearly_days * CAST(86400000 AS BIGINT) THEN k.started_at
            ELSE $from - $yearly_days * CAST(86400000 AS BIGINT) END AS a_since,
       CASE WHEN k.started_at > $from - $yearly_days * CAST(86400000 AS BIGINT) THEN k.started_at
            ELSE $from - $yearly_days * CAST(86400000 AS BIGINT) END AS b_since,
       CASE WHEN k.due_at > $cutoff THEN $as_of ELSE k.due_at END AS a_until,
       $as_of AS b_until,
       k.policy AS scope
  FROM known k
  LEFT JOIN first f ON f.employment = k.employment AND f.policy = k.policy
  LEFT JOIN throughout t ON t.employment = k.employment AND t.policy = k.policy
  LEFT JOIN evidence v ON v.employment = k.employment AND v.policy = k.policy
