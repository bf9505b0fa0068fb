// Package want says which destination keys syncs ask for, from their sources as
// they were read: what is included, under which name, which source of a sync
// decides, and which keys a rule about themselves stops. It is pure.
//
// [Of] is where to start; [Merge] joins what the syncs of one destination ask for.
package want
