// A list of alternatives behind one interface. Each room has one file that fills its registry by hand.
#pragma once
#include <functional>
#include <utility>

#include "core/spec.h"

namespace orrery {

// Product is what Make returns (usually std::unique_ptr<Interface>); Args are what every alternative is given beside
// its own parameters.
template <class Product, class... Args>
class Registry {
 public:
  using Maker = std::function<Product(const Json& params, Args... args)>;
  struct Entry {
    Facts facts;
    Maker make;
  };

  // `kind` is the word used in messages: "world", "codec", "state".
  Registry(std::string kind, std::vector<Entry> entries) : kind_(std::move(kind)), entries_(std::move(entries)) {}

  const std::vector<Entry>& Entries() const { return entries_; }

  std::vector<std::string> Names() const {
    std::vector<std::string> names;
    for (const Entry& entry : entries_) names.push_back(entry.facts.name);
    return names;
  }

  // Throws Error that lists the valid names.
  const Entry& Find(std::string_view name) const {
    for (const Entry& entry : entries_)
      if (entry.facts.name == name) return entry;
    FailUnknown(kind_, name, Names());
  }

  Product Make(const SpecPart& part, Args... args) const {
    const Entry& entry = Find(part.name);
    return entry.make(Bind(part, entry.facts), std::forward<Args>(args)...);
  }

  // Makes the only part of a spec; a sum is an error.
  Product Make(std::string_view spec, Args... args) const {
    const std::vector<SpecPart> parts = ParseSpec(spec);
    if (parts.size() != 1) Fail("{} \"{}\": expected one part, got {}", kind_, spec, parts.size());
    return Make(parts.front(), std::forward<Args>(args)...);
  }

 private:
  std::string kind_;
  std::vector<Entry> entries_;
};

}  // namespace orrery
