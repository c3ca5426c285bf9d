// The command lines of the examples: those that take few options, or none (`--help` and mistakes end the program here), and checks.
#pragma once
#include <functional>
#include <string>

void no_options(int argc, char** argv, const std::string& what_it_does);

/// The only option of most examples, `--pictures`: where the pictures go.
std::string picture_directory(int argc, char** argv, const std::string& what_it_does);

// Checks of what an option is given, for check() of CLI11: they return what is wrong, or nothing.
std::string above_0(const std::string& text);
std::string seed_number(const std::string& text);  ///< too large a number, and −1, would be the largest to CLI11
std::function<std::string(const std::string&)> from_to(double low, double high);
