-- When a send began, was resumed or sent again last: from then on it is tried for as long as the settings say. What is
-- being sent when this column comes begins to count now; the same as migrations/sqlite/0007.
alter table sends add column going_since bigint;
update sends set going_since = cast(extract(epoch from now()) as bigint) * 1000 where state = 'sending';
