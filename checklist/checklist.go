// Package checklist answers reporting checklists (TRIPOD+AI, CLAIM, CLEAR, METRICS): a typed summary of a run in, answers with their artefacts out.
package checklist

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"sonotype/internal/problem"
)

// Status says who has answered an item, or must.
type Status string

const (
	Answered      Status = "answered"       // the run's artefacts answer it
	Partly        Status = "partly"         // the run answers one part, the authors must add the other
	Authors       Status = "authors"        // nothing in a run can answer it
	NotDone       Status = "not_done"       // the run shows that it was not done
	NotApplicable Status = "not_applicable" // it cannot arise in such a study
)

// Statuses in display order.
var Statuses = []Status{Answered, Partly, Authors, NotDone, NotApplicable}

// Link points to what an answer rests on: a section of the report (#id) or a file of the run.
type Link struct {
	Label string `json:"label"`
	Href  string `json:"href"`
}

// Answer is the answer to one item.
type Answer struct {
	Status Status `json:"status"`
	Text   string `json:"text"`             // what the run shows
	Add    string `json:"add,omitempty"`    // what the authors must add
	Links  []Link `json:"links,omitempty"`  // the artefacts
	Own    bool   `json:"authors_own"`      // the authors have answered it themselves
	Score  Vote   `json:"metrics,omitzero"` // METRICS only
}

// Item is one question of a checklist, in our words, and the function that answers it from a run.
type Item struct {
	ID      string
	Section string
	Text    string
	answer  func(*Facts) Answer
}

// Checklist is a published checklist.
type Checklist struct {
	Key     string // in the study file
	Name    string
	Source  string // citation with DOI
	Licence string // of its wording, and what that means here
	Items   []Item
}

// All are the checklists in display order.
func All() []Checklist { return []Checklist{tripodList(), claimList(), clearList(), metricsList()} }

// Filled is a checklist with its answers.
type Filled struct {
	Key     string         `json:"key"`
	Name    string         `json:"name"`
	Source  string         `json:"source"`
	Licence string         `json:"licence"`
	Items   []FilledItem   `json:"items"`
	Counts  map[Status]int `json:"counts"`
	Score   *Score         `json:"score,omitempty"` // METRICS only
}

// FilledItem is an item with its answer.
type FilledItem struct {
	ID      string `json:"id"`
	Section string `json:"section"`
	Text    string `json:"item"`
	Answer
}

// Answers are the authors' own: checklist -> item -> words. They replace what the run says; for METRICS they begin with yes, no or n/a.
type Answers map[string]map[string]string

// Check refuses answers to items that do not exist.
func (a Answers) Check() error {
	for _, key := range slices.Sorted(maps.Keys(a)) {
		i := slices.IndexFunc(All(), func(c Checklist) bool { return c.Key == key })
		if i < 0 {
			return &problem.Error{What: "an answer to an unknown checklist", Expected: "tripod, claim, clear or metrics", Found: key}
		}
		list := All()[i]
		for _, id := range slices.Sorted(maps.Keys(a[key])) {
			if !slices.ContainsFunc(list.Items, func(it Item) bool { return it.ID == id }) {
				return &problem.Error{What: fmt.Sprintf("%s has no item %q", list.Name, id), Expected: list.Items[0].ID + " to " + list.Items[len(list.Items)-1].ID, Found: id}
			}
			if key != metricsKey {
				continue
			}
			switch v, ok := vote(a[key][id]); {
			case !ok:
				return &problem.Error{What: "the answer to METRICS item " + id + " is not a vote", Expected: "words that begin with yes, no or n/a", Found: a[key][id]}
			case v == None && !slices.Contains(conditional, id):
				return &problem.Error{What: "METRICS item " + id + " applies to every study", Expected: "words that begin with yes or no; n/a is for items " + strings.Join(conditional, ", "), Found: a[key][id]}
			}
		}
	}
	return nil
}

// Fill answers every checklist.
func Fill(f *Facts, own Answers) []Filled {
	var out []Filled
	for _, c := range All() {
		filled := Filled{Key: c.Key, Name: c.Name, Source: c.Source, Licence: c.Licence, Counts: map[Status]int{}}
		for _, it := range c.Items {
			a := it.answer(f)
			if words := strings.TrimSpace(own[c.Key][it.ID]); words != "" {
				a = Answer{Status: Answered, Text: words, Own: true}
				if c.Key == metricsKey {
					a.Score, _ = vote(words)
				}
			}
			filled.Items = append(filled.Items, FilledItem{it.ID, it.Section, it.Text, a})
			filled.Counts[a.Status]++
		}
		if c.Key == metricsKey {
			s := score(filled.Items)
			filled.Score = &s
		}
		out = append(out, filled)
	}
	return out
}
