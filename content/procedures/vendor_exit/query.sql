WITH gone AS (
  SELECT v.id AS id,
         -- 2 it ended in the period, 1 nobody can say.
         CASE WHEN v.ended = 1 AND v.ended_at IS NOT NULL THEN 2 ELSE 1 END AS certain,
         v.ended_at + CAST($access_hours AS BIGINT) * 3600000 AS access_by, v.ended_at + CAST($data_days AS BIGINT) * 86400000 AS data_by
    FROM vendor v
   WHERE v.in_scope = 1
     AND (v.ended = 1 OR v.ended IS NULL)
     AND (v.ended_at IS NULL OR (v.ended_at >= $from AND v.ended_at < $to AND v.ended_at <= $cutoff))
),
entrance AS (
  -- Of each access: 3 it ended in time, 2 it is not due yet, 1 nobody can say, 0 it did not.
  SELECT g.id AS id, min(x.grade) AS grade,
         min(CASE WHEN x.valid_to <= g.access_by AND x.valid_to <= $cutoff THEN 3
                  WHEN g.access_by > $cutoff THEN 2
                  WHEN x.valid_to IS NULL AND x.valid_from <= g.access_by THEN 1
                  ELSE 0 END) AS worth
    FROM gone g
    JOIN vendor_access_history x ON x.vendor = g.id AND x.valid_from <= $cutoff
   GROUP BY g.id
)
SELECT v.id AS item,
       v.label AS label,
       $from AS occurred_at,
       v.entry AS entry,
       CASE WHEN e.grade < v.grade THEN e.grade ELSE v.grade END AS grade,
       CASE WHEN g.certain = 1 THEN 'no_evidence'
            ELSE CASE e.worth WHEN 3 THEN 'pass' WHEN 2 THEN 'not_yet_due' WHEN 1 THEN 'no_evidence' WHEN 0 THEN 'deviation' ELSE 'not_applicable' END END AS a,
       CASE WHEN g.certain = 1 THEN 'no_evidence'
            WHEN v.data_class = 'none' THEN 'not_applicable'
            WHEN v.data_gone_at >= v.ended_at AND v.data_gone_at <= g.data_by AND v.data_gone_at <= $cutoff THEN 'pass'
            WHEN g.data_by > $cutoff THEN 'not_yet_due'
            WHEN v.data_class IS NULL AND v.data_gone_at IS NULL THEN 'no_evidence'
            ELSE 'deviation' END AS b,
       -- It may be let in again at any time up to the cut-off; of that instant itself nobody who looks now can speak.
       CASE WHEN $cutoff > $from THEN $cutoff - 1 ELSE $from END AS a_until,
       CASE WHEN g.data_by > $from AND g.data_by <= $cutoff THEN g.data_by ELSE $from END AS b_until
  FROM vendor v
  JOIN gone g ON g.id = v.id
  LEFT JOIN entrance e ON e.id = v.id
