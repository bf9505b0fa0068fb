package table

// The statements that change a ledger, and the columns that are read of it.
const (
	SetMeta = `INSERT INTO meta (name, value) VALUES ($1, $2)
ON CONFLICT (name) DO UPDATE SET value = excluded.value`

	DestinationColumns = `id, repository_uuid, environment_uuid, workspace, repository, environment, consent_by, consent_at, entry_count, seal`
	SeeDestination     = `INSERT INTO destinations (` + DestinationColumns + `)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, 0, $9)
ON CONFLICT (id) DO UPDATE SET repository_uuid = excluded.repository_uuid, environment_uuid = excluded.environment_uuid,
workspace = excluded.workspace, repository = excluded.repository, environment = excluded.environment,
consent_by = excluded.consent_by, consent_at = excluded.consent_at, seal = excluded.seal`
	GrowDestination = `UPDATE destinations SET entry_count = entry_count + $1 WHERE id = $2`

	EntryColumns = `destination_id, entry_key, owner_config, owner_sync, uuid, secured, fingerprint, key_id,
source_kms, source_environment, source_path, source_name, source_id, source_version, released,
writes, believed, doubt, intent_session, seal, flags_seal`
	PutEntry = `INSERT INTO entries (` + EntryColumns + `)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21)
ON CONFLICT (destination_id, entry_key) DO UPDATE SET owner_config = excluded.owner_config, owner_sync = excluded.owner_sync,
uuid = excluded.uuid, secured = excluded.secured, fingerprint = excluded.fingerprint, key_id = excluded.key_id,
source_kms = excluded.source_kms, source_environment = excluded.source_environment, source_path = excluded.source_path,
source_name = excluded.source_name, source_id = excluded.source_id, source_version = excluded.source_version,
released = excluded.released, writes = excluded.writes, believed = excluded.believed, doubt = excluded.doubt,
intent_session = excluded.intent_session, seal = excluded.seal, flags_seal = excluded.flags_seal`
	MarkEntry         = `UPDATE entries SET believed = $1, doubt = $2, intent_session = $3, flags_seal = $4 WHERE destination_id = $5 AND entry_key = $6`
	RemoveDestination = `DELETE FROM destinations WHERE id = $1`
	RemoveEntry       = `DELETE FROM entries WHERE destination_id = $1 AND entry_key = $2`
)
