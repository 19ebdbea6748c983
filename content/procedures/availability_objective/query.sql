WITH calendar_month AS (
  SELECT d.month AS month, min(d.starts_at) AS starts_at, max(d.ends_at) AS ends_at
    FROM calendar_day d
   WHERE d.calendar = $calendar AND d.zone = $tz
         -- With days to spare: of a month that begins in the period no day is missing, and one that begins before it is not asked for.
         AND d.starts_at >= $from - CAST(40 AS BIGINT) * 86400000 AND d.starts_at < $to + CAST(40 AS BIGINT) * 86400000
   GROUP BY d.month
),
measured AS (
  SELECT m.id AS id, m.slo AS slo, m.starts_at AS starts_at, m.ends_at AS ends_at,
         -- Everything in milliseconds; NULL where the counts cannot be.
         m.ends_at - m.starts_at AS ms,
         CASE WHEN m.good >= 0 AND m.good <= m.total AND m.total * 60000 <= m.ends_at - m.starts_at THEN (m.total - m.good) * 60000 END AS down,
         m.ends_at - m.starts_at - m.total * 60000 AS missing
    FROM slo_measurement m
    JOIN calendar_month c ON c.starts_at = m.starts_at AND c.ends_at = m.ends_at
   WHERE m.starts_at >= $from AND m.starts_at < $to
),
announced AS (
  -- Windows that touch a month, each once: 2 announced in time and counted, all of it in the month; 1 nobody can say.
  SELECT a.measurement AS measurement, min(a.id) AS id, a.starts_at AS starts_at, a.ends_at AS ends_at, min(a.grade) AS grade,
         a.worth AS worth, a.down AS down, a.missing AS missing, min(a.ms) AS ms
    FROM (SELECT m.id AS measurement, e.id AS id, e.starts_at AS starts_at, e.ends_at AS ends_at, e.grade AS grade,
                 CASE WHEN e.announced_at <= e.starts_at - CAST($notice_hours AS BIGINT) * 3600000
                           AND e.starts_at >= m.starts_at AND e.ends_at <= m.ends_at
                           AND e.good >= 0 AND e.good <= e.total AND e.total * 60000 <= e.ends_at - e.starts_at THEN 2
                      ELSE 1 END AS worth,
                 (e.total - e.good) * 60000 AS down,
                 CASE WHEN e.ends_at < m.ends_at THEN e.ends_at ELSE m.ends_at END - CASE WHEN e.starts_at > m.starts_at THEN e.starts_at ELSE m.starts_at END AS ms,
                 e.ends_at - e.starts_at - e.total * 60000 AS missing
            FROM measured m
            JOIN slo_exclusion e ON e.slo = m.slo AND e.starts_at < m.ends_at AND e.ends_at > m.starts_at
           WHERE e.in_scope = 1 AND $exclusions_count = 1
             AND (e.announced_at <= e.starts_at - CAST($notice_hours AS BIGINT) * 3600000 OR e.announced_at IS NULL)) a
   GROUP BY a.measurement, a.starts_at, a.ends_at, a.worth, a.down, a.missing
),
counted AS (
  -- Of windows that overlap one counts: with the most downtime.
  SELECT a.measurement AS measurement, a.id AS id, max(CASE WHEN o.id IS NULL THEN 0 ELSE 1 END) AS beside_another
    FROM announced a
    LEFT JOIN announced o ON o.measurement = a.measurement AND o.worth = 2 AND o.id <> a.id AND o.starts_at < a.ends_at AND o.ends_at > a.starts_at
          AND (o.down > a.down OR (o.down = a.down AND o.id < a.id))
   WHERE a.worth = 2
   GROUP BY a.measurement, a.id
),
excused AS (
  SELECT a.measurement AS measurement, min(a.grade) AS grade,
         CAST(sum(CASE WHEN c.beside_another = 0 THEN a.down ELSE 0 END) AS BIGINT) AS down,
         CAST(sum(CASE WHEN c.beside_another = 0 THEN a.missing ELSE 0 END) AS BIGINT) AS missing,
         CAST(sum(CASE WHEN a.worth = 2 THEN a.down ELSE a.ms END) AS BIGINT) AS down_at_most
    FROM announced a
    LEFT JOIN counted c ON c.measurement = a.measurement AND c.id = a.id
   GROUP BY a.measurement
),
objective AS (
  -- The version in force when the month began: NULL where it is not known to have been.
  SELECT m.id AS measurement, min(s.target_ppm) AS target_ppm, min(s.grade) AS grade
    FROM measured m
    JOIN slo_history s ON s.id = m.slo AND s.valid_from <= m.starts_at AND s.valid_to > m.starts_at
   GROUP BY m.id
),
judged AS (
  -- Downtime that counts at the most (missing minutes are bad, only what is certain is excused) and at the least.
  SELECT m.id AS id, m.ms AS ms, m.down AS down, o.target_ppm AS target_ppm, m.ends_at AS ends_at,
         CASE WHEN m.down > COALESCE(x.down, 0) THEN m.down - COALESCE(x.down, 0) ELSE 0 END
         + CASE WHEN m.missing > COALESCE(x.missing, 0) THEN m.missing - COALESCE(x.missing, 0) ELSE 0 END AS down_at_most,
         m.down - COALESCE(x.down_at_most, 0) AS down_at_least,
         x.grade AS excused_grade, o.grade AS objective_grade
    FROM measured m
    LEFT JOIN excused x ON x.measurement = m.id
    LEFT JOIN objective o ON o.measurement = m.id
)
SELECT m.id AS item,
       m.label AS label,
       m.starts_at AS occurred_at,
       m.entry AS entry,
       CASE WHEN j.excused_grade < m.grade AND (j.objective_grade IS NULL OR j.excused_grade < j.objective_grade) THEN j.excused_grade
            WHEN j.objective_grade < m.grade THEN j.objective_grade
            ELSE m.grade END AS grade,
       CASE WHEN j.ends_at - 1 > $cutoff THEN 'not_yet_due'
            WHEN j.target_ppm IS NULL OR j.down IS NULL THEN 'no_evidence'
            WHEN j.down_at_most * 1000000 <= (1000000 - j.target_ppm) * j.ms THEN 'pass'
            WHEN j.down_at_least * 1000000 > (1000000 - j.target_ppm) * j.ms THEN 'deviation'
            ELSE 'no_evidence' END AS a,
       m.ends_at - 1 AS a_until
  FROM judged j
  JOIN slo_measurement m ON m.id = j.id
 WHERE m.in_scope = 1
UNION ALL
-- An objective with a month that is over and that nobody measured.
SELECT n.slo AS item,
       n.label AS label,
       n.starts_at AS occurred_at,
       n.entry AS entry,
       n.grade AS grade,
       'no_evidence' AS a,
       n.starts_at AS a_until
  FROM (SELECT s.id AS slo, min(s.label) AS label, min(s.entry) AS entry, min(s.grade) AS grade, min(c.starts_at) AS starts_at
          FROM calendar_month c
          JOIN slo_history s ON s.valid_from <= c.starts_at AND (s.valid_to > c.starts_at OR s.valid_to IS NULL)
          LEFT JOIN measured m ON m.slo = s.id AND m.starts_at = c.starts_at
         WHERE c.starts_at >= $from AND c.starts_at < $to AND c.ends_at - 1 <= $cutoff AND s.in_scope = 1 AND m.id IS NULL
         GROUP BY s.id) n
