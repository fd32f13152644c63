package serve

import (
	_ "embed"

	"github.com/goccy/go-yaml"
)

//go:embed openapi.yaml
var openAPIText []byte

// openAPI is the API's description as JSON.
func openAPI() ([]byte, error) { return yaml.YAMLToJSON(openAPIText) }
