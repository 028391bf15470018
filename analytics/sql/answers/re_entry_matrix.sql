-- Re-entry from system to system.
--
-- grain: a source system and a target system
-- inputs: re_entry_matrix
-- columns like: re_entry_matrix
SELECT from_system, to_system, re_entries, hours, hours_per_person_week, cases
FROM re_entry_matrix
ORDER BY from_system, to_system
