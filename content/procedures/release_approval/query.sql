WITH moment AS (
  -- What has to be approved before: that it goes out at all (0), and each step (1).
  SELECT r.id AS release, 0 AS step, r.id AS moment, CASE WHEN f.started_at < r.released_at THEN f.started_at ELSE r.released_at END AS begins_at, 0 AS percent,
         r.built_by AS built_by, r.grade AS grade
    FROM release r
    LEFT JOIN (SELECT n.release AS release, min(n.started_at) AS started_at FROM rollout_step n WHERE n.started_at <= $cutoff GROUP BY n.release) f
      ON f.release = r.id
  UNION ALL
  SELECT r.id AS release, 1 AS step, s.id AS moment, s.started_at AS begins_at, s.percent AS percent, r.built_by AS built_by, s.grade AS grade
    FROM release r
    JOIN rollout_step s ON s.release = r.id
   WHERE s.started_at <= $cutoff
),
taken_back AS (
  -- Whether a rejection stands between an approval and the moment: 2 yes, 1 nobody can say, 0 no.
  SELECT m.step AS step, m.moment AS moment, v.id AS approval,
         max(CASE WHEN j.approved_at < v.approved_at OR j.approved_at > m.begins_at THEN 0
                  WHEN j.approved_at > v.approved_at AND j.approved_at <= m.begins_at THEN 2
                  ELSE 1 END) AS worth
    FROM moment m
    JOIN release_approval v ON v.release = m.release AND v.status = 'approved'
    JOIN release_approval j ON j.release = m.release AND j.status = 'rejected'
   GROUP BY m.step, m.moment, v.id
),
opinion AS (
  -- 3 approved in time, for as many, by somebody independent, 2 a person has to judge, 1 nobody can say, 0 not.
  SELECT m.step AS step, m.moment AS moment, v.grade AS grade,
         CASE WHEN v.approved_at > m.begins_at OR v.percent < m.percent THEN 0
              WHEN t.worth = 2 THEN 0
              WHEN h.kind = 'bot' OR h.kind = 'service' OR vp.person = bp.person THEN 0
              WHEN v.approved_at IS NULL OR t.worth = 1 THEN 1
              WHEN m.step = 1 AND (v.percent IS NULL OR (m.percent IS NULL AND v.percent < 100)) THEN 1
              WHEN vp.person IS NULL OR bp.person IS NULL OR h.kind IS NULL OR h.kind <> 'human' THEN 2
              WHEN al.person IS NOT NULL THEN 2
              ELSE 3 END AS worth
    FROM moment m
    JOIN release_approval v ON v.release = m.release AND v.status = 'approved'
    LEFT JOIN taken_back t ON t.step = m.step AND t.moment = m.moment AND t.approval = v.id
    LEFT JOIN account_history h ON h.id = v.approver AND h.valid_from <= m.begins_at AND h.valid_to > m.begins_at
    LEFT JOIN account_person vp ON vp.account = v.approver AND vp.valid_from <= m.begins_at AND vp.valid_to > m.begins_at
    LEFT JOIN account_person bp ON bp.account = m.built_by AND bp.valid_from <= m.begins_at AND bp.valid_to > m.begins_at
    LEFT JOIN person_alike al ON al.person = vp.person AND al.other_person = bp.person
),
best AS (
  SELECT m.release AS release, m.step AS step, m.moment AS moment, m.percent AS percent, m.begins_at AS begins_at, min(m.grade) AS step_grade, min(o.grade) AS grade,
         COALESCE(max(o.worth), 0) AS worth
    FROM moment m
    LEFT JOIN opinion o ON o.step = m.step AND o.moment = m.moment
   GROUP BY m.release, m.step, m.moment, m.percent, m.begins_at
),
judged AS (
  SELECT b.release AS release,
         min(CASE WHEN b.grade < b.step_grade THEN b.grade ELSE b.step_grade END) AS grade,
         min(CASE WHEN b.step = 0 THEN b.worth END) AS at_all,
         min(CASE WHEN b.step = 1 THEN b.worth END) AS as_far,
         min(CASE WHEN b.step = 0 THEN b.begins_at END) AS first_at,
         max(CASE WHEN b.step = 1 AND b.worth = 0 THEN b.begins_at END) AS last_too_far_at,
         max(CASE WHEN b.step = 1 AND b.percent >= 100 THEN b.begins_at END) AS everybody_at
    FROM best b
   GROUP BY b.release
)
SELECT r.id AS item,
       r.label AS label,
       r.released_at AS occurred_at,
       r.entry AS entry,
       j.grade AS grade,
       CASE j.at_all WHEN 3 THEN 'pass' WHEN 2 THEN 'needs_judgement' WHEN 1 THEN 'no_evidence' ELSE 'deviation' END AS a,
       CASE WHEN j.as_far = 3 THEN 'pass' WHEN j.as_far = 2 THEN 'needs_judgement' WHEN j.as_far = 0 THEN 'deviation' ELSE 'no_evidence' END AS b,
       r.released_at AS a_until,
       -- It may have gone further as long as there was anybody left, up to the cut-off, of whose own instant nobody who looks now can speak.
       CASE WHEN j.last_too_far_at > r.released_at THEN j.last_too_far_at
            WHEN j.as_far = 0 THEN r.released_at
            WHEN j.everybody_at > r.released_at THEN j.everybody_at
            WHEN j.everybody_at <= r.released_at OR $cutoff <= r.released_at THEN r.released_at
            ELSE $cutoff - 1 END AS b_until
  FROM release r
  JOIN judged j ON j.release = r.id
 WHERE r.released_at >= $from AND r.released_at < $to AND r.in_scope = 1
