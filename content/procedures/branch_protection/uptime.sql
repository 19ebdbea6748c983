-- When the default branch was found protected by a rule that is strong enough. A time without any rule is one without
-- protection, where somebody looked.
SELECT r.id AS item,
       b.valid_from AS starts_at,
       b.valid_to AS ends_at,
       CASE WHEN b.protected = 0 THEN 'deviation'
            WHEN b.protected = 1 AND (b.approvals_required < $approvals OR b.allows_force_push = 1) THEN 'deviation'
            WHEN b.protected = 1 AND b.approvals_required >= $approvals AND b.allows_force_push = 0 THEN 'pass'
            ELSE 'no_evidence' END AS verdict
  FROM repository r
  JOIN branch_rule_history b ON b.repository = r.id AND b.branch = r.default_branch
UNION ALL
-- Nobody knows which branch would have to be protected.
SELECT r.id AS item,
       $from AS starts_at,
       $to AS ends_at,
       'no_evidence' AS verdict
  FROM repository r
 WHERE r.default_branch IS NULL
