-- For how long detection ran in each region. A time of which nothing is known stays unknown.
SELECT v.region AS item,
       v.valid_from AS starts_at,
       v.valid_to AS ends_at,
       CASE WHEN v.running = 1 THEN 'pass' WHEN v.running = 0 THEN 'deviation' ELSE 'no_evidence' END AS verdict
  FROM detector_state_history v
