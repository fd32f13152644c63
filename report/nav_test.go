package report

import (
	"regexp"
	"slices"
	"strings"
	"testing"
)

// The line of links at the top names the page's sections, in their order, and only those that are there.
func TestLinksAtTheTop(t *testing.T) {
	page := write(t, "nav", sampleStudy(t))["report.html"]
	nav := page[strings.Index(page, "<nav>"):strings.Index(page, "</nav>")]
	var links, sections []string
	for _, m := range regexp.MustCompile(`href="#([a-z-]+)"`).FindAllStringSubmatch(nav, -1) {
		links = append(links, m[1])
	}
	for _, m := range regexp.MustCompile(`<section id="([a-z-]+)"`).FindAllStringSubmatch(page, -1) {
		if m[1] != "glance" {
			sections = append(sections, m[1])
		}
	}
	if !slices.Equal(links, sections) {
		t.Errorf("links %v\nsections %v", links, sections)
	}
}
