using System;
using System.Collections.Immutable;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.CSharp.Syntax;
using Microsoft.CodeAnalysis.Diagnostics;
using Microsoft.CodeAnalysis.Operations;

namespace Mmf.Analyzers;

/// <summary>
/// Finds where a project that has the package uses .NET's own types after all: an alias of the package
/// yields to a using directive inside a namespace, and to a name that is written in full.
/// </summary>
[DiagnosticAnalyzer(LanguageNames.CSharp)]
public sealed class SystemTypesAnalyzer : DiagnosticAnalyzer
{
    private static readonly DiagnosticDescriptor SystemMap = new(
        "MMF001", "This is .NET's own type, not mmf's",
        "'{0}' is .NET's own type: named maps fail on Linux, and C programs do not see them; mmf's is 'Mmf.{1}'",
        "Mmf", DiagnosticSeverity.Warning, isEnabledByDefault: true);

    private static readonly DiagnosticDescriptor SystemName = new(
        "MMF002", "C programs do not see this name",
        "This '{0}' with a name is .NET's own: C programs and mmf's types do not see the name; mmf's is 'Mmf.{1}'",
        "Mmf", DiagnosticSeverity.Warning, isEnabledByDefault: true);

    /// <inheritdoc/>
    public override ImmutableArray<DiagnosticDescriptor> SupportedDiagnostics { get; } =
        ImmutableArray.Create(SystemMap, SystemName);

    /// <inheritdoc/>
    public override void Initialize(AnalysisContext context)
    {
        context.ConfigureGeneratedCodeAnalysis(GeneratedCodeAnalysisFlags.None);
        context.EnableConcurrentExecution();
        context.RegisterCompilationStartAction(static start =>
        {
            AnalyzerConfigOptions properties = start.Options.AnalyzerConfigOptionsProvider.GlobalOptions;
            if (!Is(properties, "MmfPackage", "true"))
                return; // the package belongs to a project on which this one depends
            // A project that has switched the aliases off means .NET's maps.
            if (!Is(properties, "MmfMaps", "false"))
                start.RegisterSyntaxNodeAction(CheckName, SyntaxKind.IdentifierName);
            start.RegisterOperationAction(CheckCreation, OperationKind.ObjectCreation);
            start.RegisterOperationAction(CheckOpening, OperationKind.Invocation);
        });
    }

    private static bool Is(AnalyzerConfigOptions properties, string name, string value) =>
        properties.TryGetValue("build_property." + name, out string? text) &&
        string.Equals(text, value, StringComparison.OrdinalIgnoreCase);

    private static void CheckName(SyntaxNodeAnalysisContext context)
    {
        var name = (IdentifierNameSyntax)context.Node;

        if (name.IsVar || SystemTypes.IsInUsing(name))
            return;
        string? type = SystemTypes.Find(context.SemanticModel.GetSymbolInfo(name, context.CancellationToken).Symbol,
                                        SystemTypes.OfMaps);
        // Another word for it is an alias of the file's own, which says what is meant.
        if (type != null && Last(type) == name.Identifier.ValueText)
            context.ReportDiagnostic(Diagnostic.Create(SystemMap, name.GetLocation(), type, Last(type)));
    }

    private static void CheckCreation(OperationAnalysisContext context)
    {
        var creation = (IObjectCreationOperation)context.Operation;

        if (creation.Type is { } type && HasName(creation.Arguments))
            Report(context, type);
    }

    private static void CheckOpening(OperationAnalysisContext context)
    {
        var call = (IInvocationOperation)context.Operation;

        if (call.TargetMethod is { IsStatic: true, Name: "OpenExisting" or "TryOpenExisting" } method)
            Report(context, method.ContainingType);
    }

    private static void Report(OperationAnalysisContext context, ISymbol symbol)
    {
        string? type = SystemTypes.Find(symbol, SystemTypes.OfSync);

        if (type != null)
            context.ReportDiagnostic(
                Diagnostic.Create(SystemName, context.Operation.Syntax.GetLocation(), type, Last(type)));
    }

    // Whether it is given a name. null and "" make an unnamed object; of a variable nothing is known.
    private static bool HasName(ImmutableArray<IArgumentOperation> arguments)
    {
        foreach (IArgumentOperation argument in arguments)
        {
            if (argument.Parameter?.Name == "name")
                return argument.Value.ConstantValue is not { HasValue: true, Value: null or "" };
        }
        return false;
    }

    private static string Last(string type) => type.Substring(type.LastIndexOf('.') + 1);
}
