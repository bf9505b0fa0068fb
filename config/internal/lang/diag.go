package lang

// The summaries of the mistakes found here; HCL's parser and operators have their
// own.
const (
	summaryLabel        = "Invalid label"
	summaryType         = "Unknown type of service"
	summaryDuplicate    = "Duplicate block"
	summaryMissing      = "Missing required argument"
	summaryMissingBlock = "Missing required block"
	summaryUnknown      = "Unknown reference"
	summaryIncomplete   = "Incomplete reference"
	summaryNoValue      = "Reference to nothing"
	summaryNotReference = "Reference expected"
	summaryWrongType    = "Wrong type"
	summaryNull         = "Null value"
	summaryTooLong      = "Value too long"
	summaryTooLarge     = "Values too large"
	summaryEach         = "No element to refer to"
	summaryForEach      = "Invalid for_each"
	summarySensitive    = "Sensitive value"
	summaryType2        = "Invalid type"
	summaryVariableType = "Wrong type of a variable"
	summaryNoInput      = "No value for a variable"
	summaryInput        = "Invalid value of a variable"
	summaryCondition    = "Condition about something else"
	summaryRejected     = "Value rejected"
	summaryAddress      = "Invalid address of a sync"
)
