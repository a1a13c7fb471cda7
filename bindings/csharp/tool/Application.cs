using System;
using System.Collections.Generic;
using System.IO;
using System.Linq;
using System.Runtime.InteropServices;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Mmf.Dotnet;

/// <summary>
/// A published application: its folder, and NAME.deps.json, in which the host reads where assemblies
/// are. Ours are entered there last and removed from there first, so that a kill between two steps
/// leaves an application that runs, with or without mmf.
/// </summary>
internal sealed class Application
{
    private const string Facade = "System.IO.MemoryMappedFiles.dll", Native = "libmmf.so", Before = ".before-mmf";
    private static readonly string Version = typeof(Application).Assembly.GetName().Version!.ToString(3);
    private static readonly string Library = "mmf-dotnet/" + Version;
    private static readonly JsonSerializerOptions Written =
        new() { WriteIndented = true, Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    private readonly string directory;
    private readonly string depsPath;
    private readonly JsonObject deps;
    private readonly JsonNode runtimeOptions;

    private Application(string depsPath)
    {
        this.depsPath = depsPath;
        directory = Path.GetDirectoryName(depsPath)!;
        Name = Path.GetFileName(depsPath[..^".deps.json".Length]);
        deps = Read(depsPath);
        runtimeOptions = Read(Path.Combine(directory, Name + ".runtimeconfig.json"))["runtimeOptions"] ??
                         throw new Refusal($"{Name}.runtimeconfig.json has no runtimeOptions");
    }

    internal string Name { get; }

    private static JsonObject Read(string path) =>
        JsonNode.Parse(File.ReadAllText(path)) as JsonObject ?? throw new Refusal($"{path} is no JSON object");

    /// <summary>The applications in a folder; at least one.</summary>
    internal static Application[] FindAll(string directory)
    {
        if (!Directory.Exists(directory))
            throw new Refusal($"no such folder: {directory}");
        Application[] all = Directory.GetFiles(Path.GetFullPath(directory), "*.deps.json")
            .Where(path => File.Exists(path[..^".deps.json".Length] + ".runtimeconfig.json"))
            .Order(StringComparer.Ordinal)
            .Select(path => new Application(path))
            .ToArray();
        if (all.Length == 0)
            throw new Refusal($"{directory}: {Executable.WhyNot(directory)}");
        return all;
    }

    //
    // Whether it can be changed.
    //

    /// <summary>For which system it is, or a refusal.</summary>
    internal string Check(string? rid)
    {
        rid ??= OfDeps() ?? OfThisMachine();
        if (rid.StartsWith("win", StringComparison.Ordinal))
            throw new Refusal($"{Name} is for {rid}: on Windows .NET's own maps have names");
        if (!File.Exists(Shipped(rid)))
            throw new Refusal($"{Name} is for {rid}; mmf is here for {string.Join(", ", Rids())}");
        CheckFramework();
        return rid;
    }

    private static string Shipped(string rid) => Path.Combine(AppContext.BaseDirectory, "runtimes", rid, "native", Native);

    private static IEnumerable<string> Rids() =>
        Directory.GetDirectories(Path.Combine(AppContext.BaseDirectory, "runtimes")).Select(Path.GetFileName).Order()!;

    // ".NETCoreApp,Version=v10.0/linux-x64"; without a slash it runs anywhere.
    private string? OfDeps() => TargetName().Split('/') is [_, var rid] ? rid : null;

    private static string OfThisMachine()
    {
        string libc = RuntimeInformation.RuntimeIdentifier.Contains("musl", StringComparison.Ordinal) ? "musl-" : "";
        return $"linux-{libc}{RuntimeInformation.ProcessArchitecture.ToString().ToLowerInvariant()}";
    }

    private void CheckFramework()
    {
        bool isSelfContained = runtimeOptions["includedFrameworks"] != null;
        IEnumerable<JsonNode?> frameworks = (runtimeOptions["includedFrameworks"] ?? runtimeOptions["frameworks"])?.AsArray()
            ?? (IEnumerable<JsonNode?>)[runtimeOptions["framework"]];
        string version = frameworks.Select(one => one?["version"]?.GetValue<string>()).FirstOrDefault(one => one != null) ??
                         throw new Refusal($"{Name}.runtimeconfig.json names no framework");

        if (int.Parse(version.Split('.')[0], System.Globalization.CultureInfo.InvariantCulture) < 8)
            throw new Refusal($"{Name} is for .NET {version}; mmf needs .NET 8 or later");
        if (!isSelfContained)
            return;
        if (Directory.GetFiles(directory, "*.r2r.dll").Length + Directory.GetFiles(directory, "framework-r2r.dll").Length != 0)
            throw new Refusal($"{Name}'s framework is compiled into one image, in which no part can be replaced: " +
                              "publish it without PublishReadyToRunComposite");
        if (!File.Exists(InDirectory(Facade)))
            throw new Refusal($"{Name} has no {Facade}: it uses no maps, or was trimmed; rebuild it with the package Mmf");
        if (Members.FindMissing(FacadePath, directory) is { } missing)
            throw new Refusal($"{Name} was trimmed: {missing} is not in it; rebuild it with the package Mmf");
    }

    private static string FacadePath => Path.Combine(AppContext.BaseDirectory, "facade", Facade);

    //
    // The change.
    //

    /// <summary>All applications of a folder, which have its files in common.</summary>
    internal static void Enable(Application[] all, string rid)
    {
        Application one = all[0];

        Disable(all); // an older version of ours
        one.Put(FacadePath, Facade);
        // An application that has the package Mmf has the library already.
        bool hasNative = File.Exists(one.InDirectory(Native));
        if (!hasNative)
            one.Put(Shipped(rid), Native);
        foreach (Application application in all)
            application.Enter(hasNative);
    }

    private void Enter(bool hasNative)
    {
        Target()[Library] = new JsonObject
        {
            ["runtime"] = new JsonObject
            {
                [Facade] = new JsonObject { ["assemblyVersion"] = "99.0.0.0", ["fileVersion"] = "99.0.0.0" },
            },
        };
        if (!hasNative)
            Target()[Library]!["native"] = new JsonObject
            {
                [Native] = new JsonObject { ["fileVersion"] = "0.0.0.0" },
            };
        deps["libraries"]!.AsObject()[Library] = new JsonObject
        {
            ["type"] = "project", ["serviceable"] = false, ["sha512"] = "",
        };
        WriteDeps();
    }

    /// <summary>Those that were enabled.</summary>
    internal static Application[] Disable(Application[] all)
    {
        Application[] enabled = [.. all.Where(one => one.FindOurs() != null)];
        string[] files = [.. enabled.SelectMany(one => FilesOf(one.FindOurs()!.Value)).Distinct()];

        foreach (Application one in enabled)
        {
            string ours = one.FindOurs()!.Value.Key;
            one.Target().Remove(ours);
            one.deps["libraries"]!.AsObject().Remove(ours);
            one.WriteDeps();
        }
        foreach (string file in files.Select(all[0].InDirectory))
        {
            if (File.Exists(file + Before))
                File.Move(file + Before, file, true);
            else
                File.Delete(file);
        }
        return enabled;
    }

    internal bool IsEnabled(ref string? missing)
    {
        if (FindOurs() is not { } ours)
            return false;
        missing = FilesOf(ours).FirstOrDefault(file => !File.Exists(InDirectory(file)));
        return true;
    }

    private KeyValuePair<string, JsonNode?>? FindOurs()
    {
        foreach (KeyValuePair<string, JsonNode?> library in Target())
        {
            if (library.Key.StartsWith("mmf-dotnet/", StringComparison.Ordinal))
                return library;
        }
        return null;
    }

    private static string[] FilesOf(KeyValuePair<string, JsonNode?> ours) =>
        [.. new[] { "runtime", "native" }.SelectMany(kind => ours.Value?[kind]?.AsObject().Select(file => file.Key) ?? [])];

    private string InDirectory(string file) => Path.Combine(directory, file);

    // What stood there stays under another name. A process that runs keeps the file it has.
    private void Put(string source, string file)
    {
        string target = InDirectory(file);

        if (File.Exists(target) && !File.Exists(target + Before))
            File.Copy(target, target + Before);
        File.Copy(source, target + ".new", true);
        File.Move(target + ".new", target, true);
    }

    private string TargetName() =>
        deps["runtimeTarget"]?["name"]?.GetValue<string>() ?? throw new Refusal($"{depsPath} names no target");

    private JsonObject Target() =>
        deps["targets"]?[TargetName()] as JsonObject ?? throw new Refusal($"{depsPath} has no target {TargetName()}");

    private void WriteDeps()
    {
        File.WriteAllText(depsPath + ".new", deps.ToJsonString(Written));
        File.Move(depsPath + ".new", depsPath, true);
    }
}
